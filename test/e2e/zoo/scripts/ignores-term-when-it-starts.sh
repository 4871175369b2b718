case "$1" in
  status) report "$pidfile" ;;
  *) trap '' TERM; sleep 2147483 ;;
esac
