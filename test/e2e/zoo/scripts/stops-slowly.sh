case "$1" in
  start) launch "$pidfile" ;;
  stop) sleep 3; finish "$pidfile" ;;
  status) report "$pidfile" ;;
esac
