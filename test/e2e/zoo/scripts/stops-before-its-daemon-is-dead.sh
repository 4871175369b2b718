case "$1" in
  start) launch "$pidfile" sh -c "trap 'sleep 1; exit 0' TERM; while :; do sleep 0.1; done" ;;
  stop) read -r pid <"$pidfile"; kill "$pid"; rm -f "$pidfile" ;;
  status) report "$pidfile" ;;
esac
