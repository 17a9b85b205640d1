#!/usr/bin/env bash
# Measures a server of our own, made for it, by the suites of tests/conformance. Needs Node and npm.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
command -v npm >/dev/null || { echo "conformance needs Node 18 or later with npm: apt-get install nodejs npm" >&2; exit 2; }
cd "$here/tests/conformance"
[ -d node_modules ] || npm ci --silent
# The suites ask for more in a minute than any client: how much they may is not what they measure.
export KEROXIO_HTTP_ADDR=127.0.0.1:${PORT:-18931} KEROXIO_LOG=warn
export KEROXIO_COST_CAPACITY=100000000 KEROXIO_ANONYMOUS_COST_CAPACITY=100000000
storage=$(mktemp -d)
export KEROXIO_STORAGE_DIR=$storage
KEROXIO_SECRET_KEY=$(head -c 32 /dev/urandom | base64 | tr -d '=+/')
export KEROXIO_SECRET_KEY
"$KEROXIO" migrate >/dev/null
"$KEROXIO" run &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; rm -rf "$storage"' EXIT
for _ in $(seq 100); do
    ! curl -sf "http://$KEROXIO_HTTP_ADDR/readyz" >/dev/null || break
    sleep 0.2
done
node run.mjs "http://$KEROXIO_HTTP_ADDR"
