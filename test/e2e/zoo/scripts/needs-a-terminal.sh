case "$1" in
  start) [ -t 0 ] || { echo "not a terminal" >&2; exit 1; }; launch "$pidfile" ;;
  status) report "$pidfile" ;;
esac
