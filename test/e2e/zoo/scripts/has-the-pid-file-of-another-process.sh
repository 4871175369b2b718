case "$1" in
  start) echo 1 >"$pidfile" ;;
  status) echo "$name is not running"; exit 3 ;;
esac
