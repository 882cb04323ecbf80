#!/usr/bin/env bash
# The S3 gateway of Ceph, over one monitor and one store in memory. Not part of CI: 95 packages of Debian.
#
#   apt-get install --no-install-recommends radosgw ceph-mon ceph-osd
#   tests/servers/start-radosgw.sh DIR/radosgw PORT
#   HAUL_TEST_SERVERS=DIR cargo test --test stores conformance
#
# Uses two ports.
. "$(dirname "$0")/lib.sh"
for program in radosgw ceph-mon ceph-osd; do
  need "$program" "apt-get install --no-install-recommends radosgw ceph-mon ceph-osd"
done
key=AKIATEST secret=secretsecret
cluster=00000000-1111-2222-3333-444444444444 store=10000000-1111-2222-3333-444444444444
cat >"$dir/ceph.conf" <<INI
[global]
fsid = $cluster
mon host = [v1:$host:$((port + 1))]
ms bind msgr2 = false
ms bind ipv6 = false
public network = 127.0.0.0/8
public addr = $host
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
run dir = $dir
admin socket =
log to stderr = true
log file =
[mon]
mon data = $dir/mon
mon data avail warn = 1
mon data avail crit = 1
[osd]
osd data = $dir/osd
osd objectstore = memstore
memstore device bytes = 2G
osd memory target = 939524096
[client]
rgw frontends = beast endpoint=$host:$port
rgw data = $dir/rgw
rgw zone = default
INI
mkdir -p "$dir/mon" "$dir/osd" "$dir/rgw"

# quietly COMMAND...: runs a step of the setting up; shows what it said if it fails.
quietly() {
  "$@" >>"$dir/setup" 2>&1 || { echo "$*:" >&2; tail -n 20 "$dir/setup" >&2; exit 1; }
}

# until_done COMMAND...: the same for a step that the monitor refuses until it is ready.
until_done() {
  local left=60
  until "$@" >>"$dir/setup" 2>&1; do
    left=$((left - 1))
    ((left > 0)) || { echo "$*:" >&2; tail -n 20 "$dir/setup" >&2; exit 1; }
    sleep 0.2
  done
}

quietly monmaptool --create --clobber --fsid "$cluster" --addv a "[v1:$host:$((port + 1))]" "$dir/map"
quietly ceph-mon -c "$dir/ceph.conf" -i a --mkfs --monmap "$dir/map"
unused 2
spawn ceph-mon -c "$dir/ceph.conf" -i a -f
await "$((port + 1))" 30
until_done ceph -c "$dir/ceph.conf" --connect-timeout 20 osd new "$store" 0
quietly ceph-osd -c "$dir/ceph.conf" -i 0 --mkfs --osd-uuid "$store"
spawn ceph-osd -c "$dir/ceph.conf" -i 0 -f
until_done sh -c "ceph -c '$dir/ceph.conf' osd stat | grep -q '1 up'"
spawn radosgw -c "$dir/ceph.conf" -n client.rgw -f
await "$port" 120
quietly radosgw-admin -c "$dir/ceph.conf" -n client.rgw user create --uid test --display-name test \
  --access-key "$key" --secret-key "$secret"
quietly python3 - "$host" "$port" "$key" "$secret" <<'PY'
import base64, email.utils, hashlib, hmac, http.client, sys
host, port, key, secret = sys.argv[1:]
date = email.utils.formatdate(usegmt=True)
signed = hmac.new(secret.encode(), f"PUT\n\n\n{date}\n/test".encode(), hashlib.sha1).digest()
line = http.client.HTTPConnection(host, int(port))
headers = {"Date": date, "Authorization": f"AWS {key}:{base64.b64encode(signed).decode()}"}
line.request("PUT", "/test", headers=headers)
sys.exit(line.getresponse().status != 200)
PY
cat >"$dir/env" <<ENV
URL=s3://test
ENDPOINT=http://$host:$port
REGION=default
AWS_ACCESS_KEY_ID=$key
AWS_SECRET_ACCESS_KEY=$secret
ENV
