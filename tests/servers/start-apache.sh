#!/usr/bin/env bash
# Apache httpd with WebDAV; `/private/` is for the user `ann` with the password `apple`. The next port
# serves the same files without WebDAV. Uses two ports.
# APACHE: the program `apache2`.
. "$(dirname "$0")/lib.sh"
apache="${APACHE:-apache2}"
need "$apache" "apt-get install apache2-bin"
modules="$(find /usr/lib/apache2/modules /usr/lib64/httpd/modules -maxdepth 0 2>/dev/null | head -n 1)"
mkdir -p "$dir/data/private" "$dir/lock"
printf 'ann:{SHA}%s\n' "$(printf apple | python3 -c \
  'import base64, hashlib, sys; print(base64.b64encode(hashlib.sha1(sys.stdin.buffer.read()).digest()).decode())')" \
  >"$dir/users"
user="$(id -un)"
group="#$(id -g)"
if [[ "$user" == root ]]; then
  # Apache serves nothing as root.
  user=www-data
  group=www-data
  chown -R www-data "$dir/data" "$dir/lock"
fi
cat >"$dir/httpd.conf" <<CONF
ServerRoot "$dir"
ServerName localhost
PidFile $dir/httpd.pid
Mutex file:$dir/lock
Listen $host:$port
Listen $host:$((port + 1))
ErrorLog $dir/error.log
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authn_core_module $modules/mod_authn_core.so
LoadModule authn_file_module $modules/mod_authn_file.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule authz_user_module $modules/mod_authz_user.so
LoadModule auth_basic_module $modules/mod_auth_basic.so
LoadModule dav_module $modules/mod_dav.so
LoadModule dav_fs_module $modules/mod_dav_fs.so
User $user
Group $group
DavLockDB $dir/lock/dav
LimitXMLRequestBody 0
LimitRequestBody 0
DocumentRoot "$dir/data"
<Directory "$dir/data">
  Require all granted
</Directory>
<VirtualHost $host:$port>
  <Location "/">
    Dav On
    DavDepthInfinity On
  </Location>
  <Location "/private">
    AuthType Basic
    AuthName private
    AuthUserFile $dir/users
    Require valid-user
  </Location>
</VirtualHost>
<VirtualHost $host:$((port + 1))>
</VirtualHost>
CONF
unused 2
spawn "$apache" -f "$dir/httpd.conf" -D FOREGROUND
await "$port" 15
cat >"$dir/env" <<ENV
URL=http://$host:$port
STATIC=http://$host:$((port + 1))
ENV
