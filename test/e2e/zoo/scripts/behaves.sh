case "$1" in
  start) if ! lives "$pidfile"; then launch "$pidfile"; fi ;;
  stop) finish "$pidfile" ;;
  restart | force-reload) finish "$pidfile"; launch "$pidfile" ;;
  reload) : ;;
  try-restart) if lives "$pidfile"; then finish "$pidfile"; launch "$pidfile"; fi ;;
  status) report "$pidfile" ;;
  *) exit 2 ;;
esac
