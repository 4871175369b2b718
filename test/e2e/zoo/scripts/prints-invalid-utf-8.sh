printf 'caf\351 \377\376 end\n'
case "$1" in
  start) launch "$pidfile" ;;
  status) report "$pidfile" ;;
esac
