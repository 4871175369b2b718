case "$1" in
  start) launch "$pidfile" ;;
  stop) finish "$pidfile" ;;
  *) echo "Usage: /etc/init.d/$name {start|stop}" >&2; exit 3 ;;
esac
