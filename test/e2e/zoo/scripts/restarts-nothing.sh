case "$1" in
  start) launch "$pidfile" ;;
  stop) finish "$pidfile" ;;
  restart) echo "Restarting $name" ;;
  status) report "$pidfile" ;;
esac
