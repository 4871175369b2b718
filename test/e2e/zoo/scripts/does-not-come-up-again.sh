case "$1" in
  start) launch "$pidfile" ;;
  restart) finish "$pidfile"; echo "Restarting $name" ;;
  status) report "$pidfile" ;;
esac
