#!/usr/bin/env bash
# An Azure Blob server with its well-known account and key, which are no secret.
# AZURITE: the program `azurite-blob`.
. "$(dirname "$0")/lib.sh"
azurite="${AZURITE:-azurite-blob}"
need "$azurite" "npm install azurite"
unused 1
spawn "$azurite" --silent --disableTelemetry --skipApiVersionCheck \
  --location "$dir/data" --blobHost "$host" --blobPort "$port"
await "$port" 60
key=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==
# A container, made with a request that is signed by hand.
python3 - "$host" "$port" "$key" <<'PY'
import base64, email.utils, hashlib, hmac, http.client, sys
host, port, key = sys.argv[1:]
account, path = "devstoreaccount1", "/devstoreaccount1/test"
headers = {"x-ms-date": email.utils.formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
signed = "PUT" + "\n" * 12 + "".join(f"{name}:{value}\n" for name, value in headers.items())
signed += f"/{account}{path}\nrestype:container"
digest = hmac.new(base64.b64decode(key), signed.encode(), hashlib.sha256).digest()
headers["Authorization"] = f"SharedKey {account}:{base64.b64encode(digest).decode()}"
headers["Content-Length"] = "0"
line = http.client.HTTPConnection(host, int(port))
line.request("PUT", path + "?restype=container", headers=headers)
sys.exit(line.getresponse().status not in (201, 409))
PY
cat >"$dir/env" <<ENV
URL=az://test
ENDPOINT=http://$host:$port/devstoreaccount1
ACCOUNT=devstoreaccount1
AZURE_STORAGE_ACCOUNT_KEY=$key
ENV
