case "$1" in
  start) launch "$pidfile" ;;
  stop) read -r pid <"$pidfile"; kill -9 "$pid" ;;
  status) report "$pidfile" ;;
esac
