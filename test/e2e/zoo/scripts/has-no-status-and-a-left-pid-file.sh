case "$1" in
  start) launch "$pidfile" true ;;
  stop) finish "$pidfile" ;;
  *) echo "Usage: /etc/init.d/$name {start|stop}" >&2; exit 1 ;;
esac
