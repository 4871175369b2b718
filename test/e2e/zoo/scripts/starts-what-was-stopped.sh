case "$1" in
  start | try-restart) launch "$pidfile" ;;
  condrestart) if lives "$pidfile"; then finish "$pidfile"; launch "$pidfile"; fi ;;
  stop) finish "$pidfile" ;;
  status) report "$pidfile" ;;
esac
