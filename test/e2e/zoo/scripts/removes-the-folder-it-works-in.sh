mkdir "$folder/here" 2>/dev/null
cd "$folder/here" || exit 1
rmdir "$folder/here"
case "$1" in
  start) launch "$pidfile" ;;
  status) report "$pidfile" ;;
esac
