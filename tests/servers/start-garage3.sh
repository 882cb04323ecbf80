#!/usr/bin/env bash
# Three Garage nodes that hold everything three times; clients talk to the first. Uses nine ports.
# `pid.0` to `pid.2` in DIR hold the process id of each node.
# GARAGE: the program `garage`.
. "$(dirname "$0")/lib.sh"
garage="${GARAGE:-garage}"
need "$garage" "cargo install garage --no-default-features --features bundled-libs,sqlite"
key=GK000102030405060708090a0b
secret=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
export RUST_LOG="${RUST_LOG:-garage=warn}"
for node in 0 1 2; do
  first=$((port + 3 * node))
  mkdir -p "$dir/$node/meta" "$dir/$node/data"
  cat >"$dir/$node.toml" <<TOML
metadata_dir = "$dir/$node/meta"
data_dir = "$dir/$node/data"
db_engine = "sqlite"
replication_factor = 3
consistency_mode = "consistent"
disable_scrub = true
compression_level = "none"
rpc_bind_addr = "$host:$((first + 1))"
rpc_public_addr = "$host:$((first + 1))"
rpc_secret = "0000000000000000000000000000000000000000000000000000000000000001"
rpc_ping_timeout_msec = 1000
rpc_timeout_msec = 5000
allow_world_readable_secrets = true
[s3_api]
s3_region = "garage"
api_bind_addr = "$host:$first"
[admin]
api_bind_addr = "$host:$((first + 2))"
admin_token = "admin"
TOML
  spawn "$garage" -c "$dir/$node.toml" server
  tail -n 1 "$dir/pid" >"$dir/pid.$node"
done
for node in 0 1 2; do await $((port + 3 * node + 1)) 30; done

# tell NODE WORDS...: asks a node to do something, until it does.
tell() {
  local node="$1" left=100
  shift
  until "$garage" -c "$dir/$node.toml" "$@" 2>>"$dir/log"; do
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
tell 0 key import --yes -n test "$key" "$secret" >/dev/null
tell 0 bucket create test >/dev/null
tell 0 bucket allow --read --write --owner test --key "$key" >/dev/null
await "$port" 30
cat >"$dir/env" <<ENV
URL=s3://test
ENDPOINT=http://$host:$port
REGION=garage
AWS_ACCESS_KEY_ID=$key
AWS_SECRET_ACCESS_KEY=$secret
ENV
