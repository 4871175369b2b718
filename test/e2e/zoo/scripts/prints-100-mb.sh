case "$1" in
  start) launch "$pidfile"; yes "0123456789abcdefghijklmnopqrstuvwxyz" | head -c 104857600 ;;
  stop) finish "$pidfile"; yes "0123456789abcdefghijklmnopqrstuvwxyz" | head -c 104857600 >&2 ;;
  status) report "$pidfile" ;;
esac
