case "$1" in
  start) launch "$pidfile" ;;
  stop) finish "$pidfile" ;;
  status) exec sleep 2147483 ;;
esac
