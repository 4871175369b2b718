case "$1" in
  start)
    launch "$pidfile" sleep 0.3
    (sleep 0.8; launch "$pidfile") </dev/null >/dev/null 2>&1 &
    ;;
  stop) finish "$pidfile" ;;
  status) report "$pidfile" ;;
esac
