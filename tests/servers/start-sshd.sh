#!/usr/bin/env bash
# An SSH server for this user, with keys of its own and nothing but file transfer.
# `bin/ssh` in DIR is the client, with these keys. SSHD: the program `sshd`.
. "$(dirname "$0")/lib.sh"
sshd="${SSHD:-$(PATH="$PATH:/usr/sbin:/sbin" command -v sshd || echo sshd)}"
need "$sshd" "apt-get install openssh-server"
need ssh "apt-get install openssh-client"
mkdir -p "$dir/data" "$dir/bin"
for name in host user; do
  [[ -f "$dir/$name" ]] || ssh-keygen -q -t ed25519 -N "" -C "" -f "$dir/$name"
done
cp "$dir/user.pub" "$dir/authorized"
echo "[$host]:$port $(cat "$dir/host.pub")" >"$dir/known"
cat >"$dir/sshd_config" <<CONF
Port $port
ListenAddress $host
HostKey $dir/host
PidFile $dir/sshd.pid
AuthorizedKeysFile $dir/authorized
AuthenticationMethods publickey
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
MaxStartups 100
Subsystem sftp internal-sftp
CONF
cat >"$dir/ssh_config" <<CONF
Host *
  IdentityFile $dir/user
  IdentitiesOnly yes
  UserKnownHostsFile $dir/known
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
CONF
cat >"$dir/bin/ssh" <<SH
#!/bin/sh
exec $(command -v ssh) -F "$dir/ssh_config" "\$@"
SH
chmod 755 "$dir/bin/ssh"
# Where it keeps what it has no right to see; it wants that in every case.
((EUID != 0)) || mkdir -p /run/sshd
unused 1
spawn "$sshd" -D -e -f "$dir/sshd_config"
await "$port" 15
cat >"$dir/env" <<ENV
URL=sftp://$host:$port$dir/data
BIN=$dir/bin
ENV
