case "$1" in
  start) echo "Starting $name" ;;
  status) report "$hidden"; exit 0 ;;
esac
