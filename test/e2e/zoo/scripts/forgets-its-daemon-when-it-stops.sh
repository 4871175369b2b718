case "$1" in
  start) launch "$pidfile" ;;
  stop) rm -f "$pidfile" ;;
  status) report "$pidfile" ;;
esac
