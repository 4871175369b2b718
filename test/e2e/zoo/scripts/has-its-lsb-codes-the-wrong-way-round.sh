case "$1" in
  start) launch "$pidfile" ;;
  stop) finish "$pidfile" ;;
  status) if report "$pidfile"; then exit 1; else exit 0; fi ;;
esac
