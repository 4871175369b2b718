case "$1" in
  start) launch "$pidfile" ;;
  stop)
    finish "$pidfile"
    (sleep 1; launch "$pidfile") </dev/null >/dev/null 2>&1 &
    ;;
  status) report "$pidfile" ;;
esac
