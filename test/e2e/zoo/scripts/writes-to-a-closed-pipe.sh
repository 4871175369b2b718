case "$1" in
  start) launch "$pidfile"; { sleep 0.2; yes; echo "$?" >"$hidden"; } | true ;;
  stop) finish "$pidfile"; exec 1>&- 2>&-; echo gone; exit 0 ;;
  status) report "$pidfile" ;;
esac
