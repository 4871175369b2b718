case "$1" in
  start) cat; launch "$pidfile" ;;
  status) read -r answer; report "$pidfile" ;;
esac
