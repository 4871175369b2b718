case "$1" in
  start) launch "$pidfile" sleep 1 ;;
  stop) finish "$pidfile" ;;
  status) report "$pidfile" ;;
esac
