case "$1" in
  start) launch "$pidfile" ;;
  status) trap '' TERM; sleep 2147483 ;;
esac
