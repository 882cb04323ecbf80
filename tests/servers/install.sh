#!/usr/bin/env bash
# install.sh DIR: brings the servers of the tests in tests/stores into DIR, those that are missing.
# Prints where they are, as lines for the shell. Garage is built from source, some minutes long.
set -eu
dir="${1:?usage: install.sh DIR}"
mkdir -p "$dir"
dir="$(cd "$dir" && pwd)"
thrice="$(cd "$(dirname "$0")/.." && pwd)/thrice.sh"
moto=5.2.5 azurite=3.37.0 garage=2.5.0

if ! command -v apache2 >/dev/null && command -v apt-get >/dev/null && ((EUID == 0)); then
  # RUNLEVEL keeps the package from starting a server of its own.
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive "$thrice" apt-get -o Acquire::Retries=3 \
    install -qy --no-install-recommends apache2-bin >&2
fi

if [[ ! -x /usr/sbin/sshd ]] && command -v apt-get >/dev/null && ((EUID == 0)); then
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive "$thrice" apt-get -o Acquire::Retries=3 \
    install -qy --no-install-recommends openssh-server >&2
fi

if [[ ! -x "$dir/moto-$moto/bin/moto_server" ]]; then
  python3 -m venv "$dir/moto-$moto" >&2
  "$thrice" "$dir/moto-$moto/bin/pip" install -q "moto[s3]==$moto" flask flask-cors >&2
fi
echo "export MOTO=$dir/moto-$moto/bin/moto_server"

if [[ ! -x "$dir/azurite-$azurite/node_modules/.bin/azurite-blob" ]]; then
  mkdir -p "$dir/azurite-$azurite"
  (cd "$dir/azurite-$azurite" && npm init -y && "$thrice" npm install --no-audit --no-fund "azurite@$azurite") >&2
fi
echo "export AZURITE=$dir/azurite-$azurite/node_modules/.bin/azurite-blob"

if [[ ! -x "$dir/garage-$garage/bin/garage" ]]; then
  build="$(mktemp -d)"
  trap 'rm -rf "$build"' EXIT
  CARGO_TARGET_DIR="$build" CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_DEBUG=0 \
    "$thrice" cargo install garage --version "$garage" --locked --no-default-features \
    --features bundled-libs,sqlite --root "$dir/garage-$garage" >&2
fi
echo "export GARAGE=$dir/garage-$garage/bin/garage"
