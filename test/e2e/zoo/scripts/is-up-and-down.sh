case "$1" in
  start)
    (while :; do launch "$pidfile" sleep 0.4; sleep 0.8; done) </dev/null >/dev/null 2>&1 &
    sleep 0.1
    ;;
  status) report "$pidfile" ;;
esac
