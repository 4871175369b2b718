case "$1" in
  start) launch "$pidfile" sh -c "trap '' TERM; while :; do sleep 1; done" ;;
  stop) read -r pid <"$pidfile"; kill "$pid" ;;
  status) report "$pidfile" ;;
esac
