lives() { # FILE
  [ -s "$1" ] || return 1
  read -r pid <"$1"
  # A zombie that nobody has reaped yet does not live.
  [ -r "/proc/$pid/status" ] && ! grep -q '^State:[[:space:]]*Z' "/proc/$pid/status" 2>/dev/null
}

launch() { # FILE [COMMAND...]
  into="$1"
  shift
  [ "$#" -gt 0 ] || set -- sleep 2147483
  setsid "$@" </dev/null >/dev/null 2>&1 &
  echo "$!" >"$into"
}

finish() { # FILE
  if lives "$1"; then
    kill "$pid"
    while lives "$1"; do sleep 0.05; done
  fi
  rm -f "$1"
}

report() { # FILE
  if lives "$1"; then echo "$name is running"; return 0; fi
  if [ -e "$1" ]; then echo "$name is dead, its pid file exists"; return 1; fi
  echo "$name is not running"
  return 3
}

