#!/usr/bin/env bash
# thrice.sh COMMAND...: runs a download, up to three times: who gives it may be out of reach for a moment.
for pause in 2 10; do
  "$@" && exit
  sleep "$pause"
done
exec "$@"
