# What the scripts here share. Each is called as `start-NAME.sh DIR PORT`: DIR gets the server's
# data, settings and log, `pid` with a process id per line, and at last `env` with what tests need
# to know. Everything listens on 127.0.0.1 only.
set -eu
(($# >= 2)) || { echo "usage: $0 DIR PORT" >&2; exit 2; }
mkdir -p "$1"
dir="$(cd "$1" && pwd)"
port="$2"
host=127.0.0.1
: >"$dir/pid"

# need PROGRAM HOW: fails with the way to get a program that is missing.
need() {
  command -v "$1" >/dev/null 2>&1 && return
  echo "$1 is missing: $2" >&2
  exit 3
}

# listens PORT: says whether somebody does.
listens() {
  (exec 3<>"/dev/tcp/$host/$1") 2>/dev/null
}

# unused COUNT: fails if somebody listens on one of so many ports: he would be taken for the server.
unused() {
  local each
  for ((each = port; each < port + $1; each++)); do
    ! listens "$each" || { echo "somebody listens on port $each already" >&2; exit 1; }
  done
}

# alive: fails if a server ended.
alive() {
  local pid
  while read -r pid; do
    kill -0 "$pid" 2>/dev/null || { echo "the server ended:" >&2; tail -n 20 "$dir/log" >&2; exit 1; }
  done <"$dir/pid"
}

# spawn COMMAND...: starts a server in a process group of its own.
spawn() {
  setsid "$@" >"$dir/log" 2>&1 </dev/null &
  echo $! >>"$dir/pid"
}

# await PORT SECONDS: waits until somebody listens; fails if the server ends before.
await() {
  local left=$(($2 * 20))
  until listens "$1"; do
    alive
    left=$((left - 1))
    ((left > 0)) || { echo "nobody listens on port $1:" >&2; tail -n 20 "$dir/log" >&2; exit 1; }
    sleep 0.05
  done
  # Else it is somebody else who listens.
  alive
}
