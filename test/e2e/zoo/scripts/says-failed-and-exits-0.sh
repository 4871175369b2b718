case "$1" in
  start) echo "Starting $name ... failed!" >&2; exit 0 ;;
  status) report "$pidfile" ;;
esac
