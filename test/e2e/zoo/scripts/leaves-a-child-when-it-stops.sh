case "$1" in
  start) launch "$pidfile" sh -c 'sleep 2147483 & wait' ;;
  stop) finish "$pidfile" ;;
  status) report "$pidfile" ;;
esac
