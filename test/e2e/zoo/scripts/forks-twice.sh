case "$1" in
  start)
    launch "$pidfile" sh -c "setsid sh -c 'sleep 0.2; echo \$\$ >$pidfile; exec sleep 2147483' & sleep 0.5"
    ;;
  stop) finish "$pidfile" ;;
  status) report "$pidfile" ;;
esac
