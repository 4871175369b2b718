case "$1" in
  start) kill -9 "$$" ;;
  status) report "$pidfile" ;;
esac
