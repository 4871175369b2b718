/** An init script around `body`, which finds `$1`, `$log` and `$pidfile` set. */
export function initScript(name: string, logFile: string, pidFile: string, body: string): string {
  return `#!/bin/sh
### BEGIN INIT INFO
# Provides:          ${name}
# Required-Start:
# Required-Stop:
# Default-Start:
# Default-Stop:
# Short-Description: made by the tests of service-mgr
### END INIT INFO
log='${logFile}'
pidfile='${pidFile}'
# Every process that comes from here carries the mark, so that the tests can find and end it.
SMTEST_SERVICE='${name}'
export SMTEST_SERVICE
echo "$1" >>"$log"
${body}
`;
}

/** The body of a script with a daemon; `redirection` says what becomes of the daemon's streams. */
export function daemonBody(redirection: string): string {
  return `name="$SMTEST_SERVICE"
is_running() {
  [ -s "$pidfile" ] || return 1
  read -r pid <"$pidfile"
  # A zombie that nobody has reaped yet is not a running daemon.
  [ -r "/proc/$pid/status" ] && ! grep -q '^State:[[:space:]]*Z' "/proc/$pid/status" 2>/dev/null
}
start() {
  if is_running; then echo "$name is already running"; return 0; fi
  setsid sleep 2147483 ${redirection} &
  echo "$!" >"$pidfile"
  echo "Starting $name"
}
stop() {
  if is_running; then
    kill "$pid"
    while is_running; do sleep 0.01; done
  fi
  rm -f "$pidfile"
  echo "Stopping $name"
}
status() {
  if is_running; then echo "$name is running"; return 0; fi
  if [ -e "$pidfile" ]; then echo "$name is dead, its pid file exists"; return 1; fi
  echo "$name is not running"
  return 3
}
case "$1" in
  start|stop|status) "$1" ;;
  restart) stop; start ;;
  *) echo "Usage: $name {start|stop|restart|status}" >&2; exit 2 ;;
esac`;
}
