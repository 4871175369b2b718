case "$1" in
  start) launch "$hidden" sleep 1 ;;
  stop) finish "$hidden" ;;
  status) read -r pid <"$hidden"; echo "$name (pid $pid) is running..."; exit 0 ;;
esac
