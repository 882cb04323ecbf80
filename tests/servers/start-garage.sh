#!/usr/bin/env bash
# A real S3 server of one node, which ignores conditional writes. Uses three ports.
# GARAGE: the program `garage`.
. "$(dirname "$0")/lib.sh"
garage="${GARAGE:-garage}"
need "$garage" "cargo install garage --no-default-features --features bundled-libs,sqlite"
export GARAGE_DEFAULT_ACCESS_KEY=GK000102030405060708090a0b
export GARAGE_DEFAULT_SECRET_KEY=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
export GARAGE_DEFAULT_BUCKET=test
mkdir -p "$dir/meta" "$dir/data"
cat >"$dir/garage.toml" <<TOML
metadata_dir = "$dir/meta"
data_dir = "$dir/data"
db_engine = "sqlite"
replication_factor = 1
disable_scrub = true
compression_level = "none"
rpc_bind_addr = "$host:$((port + 1))"
rpc_public_addr = "$host:$((port + 1))"
rpc_secret = "0000000000000000000000000000000000000000000000000000000000000001"
allow_world_readable_secrets = true
[s3_api]
s3_region = "garage"
api_bind_addr = "$host:$port"
[admin]
api_bind_addr = "$host:$((port + 2))"
admin_token = "admin"
TOML
export RUST_LOG="${RUST_LOG:-garage=warn}"
spawn "$garage" -c "$dir/garage.toml" server --single-node --default-bucket
await "$port" 30
cat >"$dir/env" <<ENV
URL=s3://test
ENDPOINT=http://$host:$port
REGION=garage
AWS_ACCESS_KEY_ID=$GARAGE_DEFAULT_ACCESS_KEY
AWS_SECRET_ACCESS_KEY=$GARAGE_DEFAULT_SECRET_KEY
ENV
