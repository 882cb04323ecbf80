#!/usr/bin/env bash
# A real S3 server of one node, which ignores conditional writes. Uses three ports.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/garage.sh"
export GARAGE_DEFAULT_ACCESS_KEY="$garage_key" GARAGE_DEFAULT_SECRET_KEY="$garage_secret"
export GARAGE_DEFAULT_BUCKET=test
garage_settings "$dir" "$port" 1 >"$dir/garage.toml" </dev/null
unused 3
spawn "$garage" -c "$dir/garage.toml" server --single-node --default-bucket
await "$port" 30
garage_env
