#!/usr/bin/env bash
# An S3 server in memory with conditional writes; it checks no signatures.
# MOTO: the program `moto_server`.
. "$(dirname "$0")/lib.sh"
moto="${MOTO:-moto_server}"
need "$moto" "pip install 'moto[s3]' flask flask-cors"
unused 1
spawn "$moto" -H "$host" -p "$port"
await "$port" 60
python3 - "$host" "$port" <<'PY'
import http.client, sys
line = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]))
line.request("PUT", "/test")
sys.exit(line.getresponse().status != 200)
PY
cat >"$dir/env" <<ENV
URL=s3://test
ENDPOINT=http://$host:$port
REGION=us-east-1
AWS_ACCESS_KEY_ID=AKIATEST
AWS_SECRET_ACCESS_KEY=secret
ENV
