#!/usr/bin/env bash
# stop.sh DIR: ends the processes that a start script noted in DIR/pid, by their ids.
set -eu
[[ -s "$1/pid" ]] || exit 0
while read -r pid; do kill -TERM -- "-$pid" 2>/dev/null || true; done <"$1/pid"
for _ in $(seq 100); do
  left=0
  while read -r pid; do ! kill -0 "$pid" 2>/dev/null || left=1; done <"$1/pid"
  ((left)) || break
  sleep 0.05
done
while read -r pid; do kill -KILL -- "-$pid" 2>/dev/null || true; done <"$1/pid"
: >"$1/pid"
