#!/usr/bin/env bash
# Runs a command with the private servers up and their settings in the environment; stops what it started.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
started=no
bash "$here/services.sh" status 2>/dev/null || started=yes
# Before the start, so that a half-done start and Ctrl-C are tidied up as well.
[ "$started" = no ] || trap 'bash "$here/services.sh" down' EXIT
[ "$started" = no ] || bash "$here/services.sh" up
servers=$(bash "$here/services.sh" env)
# The private servers always win: a test must never reach the database of an inherited DATABASE_URL.
while IFS='=' read -r name value; do export "$name=$value"; done <<<"$servers"
# The models are the caller's choice where there is one.
while IFS='=' read -r name value; do
    [ -n "${!name:-}" ] || export "$name=$value"
done <"$here/../../.keroxio/env"
"$@"
