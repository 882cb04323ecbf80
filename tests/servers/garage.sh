# What the scripts that start Garage share; sourced after lib.sh.
# GARAGE: the program `garage`.
garage="${GARAGE:-garage}"
need "$garage" "cargo install garage --no-default-features --features bundled-libs,sqlite"
garage_key=GK000102030405060708090a0b
garage_secret=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
export RUST_LOG="${RUST_LOG:-garage=warn}"

# garage_settings FOLDER PORT COPIES: prints the settings of a node that uses three ports from PORT on.
# What stands on stdin goes on top.
garage_settings() {
  mkdir -p "$1/meta" "$1/data"
  cat - <(cat <<TOML
metadata_dir = "$1/meta"
data_dir = "$1/data"
db_engine = "sqlite"
replication_factor = $3
disable_scrub = true
compression_level = "none"
rpc_bind_addr = "$host:$(($2 + 1))"
rpc_public_addr = "$host:$(($2 + 1))"
rpc_secret = "0000000000000000000000000000000000000000000000000000000000000001"
allow_world_readable_secrets = true
[s3_api]
s3_region = "garage"
api_bind_addr = "$host:$2"
[admin]
api_bind_addr = "$host:$(($2 + 2))"
admin_token = "admin"
TOML
  )
}

# garage_env: writes down what tests need to know.
garage_env() {
  cat >"$dir/env" <<ENV
URL=s3://test
ENDPOINT=http://$host:$port
REGION=garage
AWS_ACCESS_KEY_ID=$garage_key
AWS_SECRET_ACCESS_KEY=$garage_secret
ENV
}
