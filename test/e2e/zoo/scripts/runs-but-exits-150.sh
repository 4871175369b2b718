case "$1" in
  start) launch "$pidfile"; exit 150 ;;
  status) report "$pidfile" ;;
esac
