case "$1" in
  start) launch "$hidden" ;;
  stop) finish "$hidden" ;;
  *) echo "Usage: /etc/init.d/$name {start|stop}" >&2; exit 3 ;;
esac
