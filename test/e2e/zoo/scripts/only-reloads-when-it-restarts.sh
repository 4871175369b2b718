case "$1" in
  start) launch "$pidfile" sh -c "trap : HUP; while :; do sleep 0.1; done" ;;
  restart) read -r pid <"$pidfile"; kill -HUP "$pid" ;;
  status) report "$pidfile" ;;
esac
