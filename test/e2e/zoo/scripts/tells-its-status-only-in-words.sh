case "$1" in
  start) launch "$hidden" ;;
  stop) finish "$hidden" ;;
  status) report "$hidden"; exit 0 ;;
esac
