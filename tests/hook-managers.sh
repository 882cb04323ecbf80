#!/usr/bin/env bash
# hook-managers.sh DIR: brings husky, lefthook and the pre-commit framework, which the tests in
# tests/cli/hook_managers.rs try, into DIR, those that are missing. Put DIR/bin on the path.
set -eu
dir="${1:?usage: hook-managers.sh DIR}"
husky=9.1.7 lefthook=2.2.2 framework=4.7.0
mkdir -p "$dir/bin"
dir="$(cd "$dir" && pwd)"
thrice="$(cd "$(dirname "$0")" && pwd)/thrice.sh"

packages="$dir/npm-$husky-$lefthook"
if [[ ! -e "$packages/node_modules/.bin/lefthook" ]]; then
  "$thrice" npm install --silent --no-audit --no-fund --prefix "$packages" "husky@$husky" "lefthook@$lefthook"
fi
ln -sf "$packages/node_modules/.bin/husky" "$packages/node_modules/.bin/lefthook" "$dir/bin"

python="$dir/pre-commit-$framework"
if [[ ! -x "$python/bin/pre-commit" ]]; then
  python3 -m venv "$python"
  "$thrice" "$python/bin/pip" install -q --disable-pip-version-check "pre-commit==$framework"
fi
ln -sf "$python/bin/pre-commit" "$dir/bin"
