#!/bin/sh
# Checks out one commit of a Git repository and brings its data, as a job of any service would:
#
#   job.sh GIT_URL REV FOLDER [PATH…]
#
# FOLDER is made and must not be there yet. CACHE, if set, names a folder that outlives the job; jobs
# at the same time may use it together. VIEW names a view of haul.toml. Credentials come from the
# variables of the cloud; HAUL_ACCEPT_REMOTE names a remote that is no bucket of a known cloud.
set -eu

url=$1 rev=$2 folder=$3
shift 3

# Both may be relative to the folder that the job starts in, which is left now.
case $url in /*) ;; *) if [ -e "$url" ]; then url=$PWD/$url; fi ;; esac
case ${CACHE:-/} in /*) ;; *) CACHE=$PWD/$CACHE ;; esac

git init --quiet "$folder"
cd "$folder"
git remote add origin "$url"
git fetch --quiet --depth 1 origin "$rev"
git checkout --quiet --detach FETCH_HEAD

if [ -n "${CACHE:-}" ]; then
    HAUL_CACHE_DIR=$CACHE
    export HAUL_CACHE_DIR
    echo "cache $CACHE, key $(haul ci key ${VIEW:+--view "$VIEW"} -- "$@")"
fi
haul verify HEAD
haul pull ${VIEW:+--view "$VIEW"} -- "$@"
