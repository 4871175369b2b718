case "$1" in
  start) echo "Starting $name" ;;
  stop) finish "$pidfile" ;;
  status) report "$pidfile" ;;
esac
