#!/usr/bin/env bash
# Three Garage nodes that hold everything three times; clients talk to the first. Uses nine ports.
# `pid.0` to `pid.2` in DIR hold the process id of each node.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/garage.sh"
unused 9
for node in 0 1 2; do
  garage_settings "$dir/$node" $((port + 3 * node)) 3 >"$dir/$node.toml" <<'TOML'
consistency_mode = "consistent"
rpc_ping_timeout_msec = 1000
rpc_timeout_msec = 5000
TOML
  spawn "$garage" -c "$dir/$node.toml" server
  tail -n 1 "$dir/pid" >"$dir/pid.$node"
done
for node in 0 1 2; do await $((port + 3 * node + 1)) 30; done

# is_done NODE WORDS...: says whether that was done already, of what cannot be done twice.
is_done() {
  local node="$1"
  shift
  case "$1 $2" in
    "layout apply") "$garage" -c "$dir/$node.toml" layout show | grep -q "layout version: $4\$" ;;
    "key import") "$garage" -c "$dir/$node.toml" key info "$garage_key" ;;
    "bucket create") "$garage" -c "$dir/$node.toml" bucket info "$3" ;;
    *) false ;;
  esac >/dev/null 2>>"$dir/log"
}

# tell NODE WORDS...: asks a node to do something, until it does. What it answers may come too late, and what
# was done then is refused from there on.
tell() {
  local node="$1" left=100
  shift
  until "$garage" -c "$dir/$node.toml" "$@" 2>>"$dir/log" || is_done "$node" "$@"; do
    left=$((left - 1))
    ((left > 0)) || { echo "garage $*:" >&2; tail -n 5 "$dir/log" >&2; exit 1; }
    sleep 0.1
  done
}
for node in 1 2; do tell 0 node connect "$(tell "$node" node id -q)" >/dev/null; done
for node in 0 1 2; do
  id="$(tell "$node" node id -q)"
  tell 0 layout assign -z "zone$node" -c 10G "${id:0:16}" >/dev/null
done
tell 0 layout apply --version 1 >/dev/null
tell 0 key import --yes -n test "$garage_key" "$garage_secret" >/dev/null
tell 0 bucket create test >/dev/null
tell 0 bucket allow --read --write --owner test --key "$garage_key" >/dev/null
await "$port" 30
garage_env
