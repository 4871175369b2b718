case "$1" in
  start) setsid sleep 2147483 & echo "$!" >"$pidfile" ;;
  stop) finish "$pidfile" ;;
  status) report "$pidfile" ;;
esac
