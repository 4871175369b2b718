case "$1" in
  status) report "$pidfile" ;;
  *) exec sleep 2147483 ;;
esac
