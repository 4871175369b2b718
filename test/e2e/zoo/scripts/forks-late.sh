case "$1" in
  start) (sleep 3; launch "$pidfile") </dev/null >/dev/null 2>&1 & ;;
  stop) finish "$pidfile" ;;
  status) report "$pidfile" ;;
esac
