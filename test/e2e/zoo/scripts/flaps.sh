case "$1" in
  start)
    (while :; do launch "$pidfile" sleep 0.3; sleep 0.3; done) </dev/null >/dev/null 2>&1 &
    sleep 0.1
    ;;
  status) echo "$name is running" ;;
esac
