case "$1" in
  start) launch "$pidfile" ;;
  restart) (sleep 1; finish "$pidfile"; launch "$pidfile") </dev/null >/dev/null 2>&1 & ;;
  status) report "$pidfile" ;;
esac
