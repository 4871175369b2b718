case "$1" in
  start) launch "$pidfile" ;;
  reload) read -r pid <"$pidfile"; kill -HUP "$pid"; echo "Reloading $name" ;;
  status) report "$pidfile" ;;
esac
