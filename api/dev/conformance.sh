#!/usr/bin/env bash
# Measures a server of our own, made for it: conformance.sh [clients] [suites], both by default. Needs Node and npm.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
command -v npm >/dev/null || { echo "conformance needs Node 18 or later with npm: apt-get install nodejs npm" >&2; exit 2; }
# The clients first: some suites take a weak server down.
parts=${*:-clients suites}
cd "$here/tests/conformance"
for part in $parts; do
    case $part in
    suites) [ -d node_modules ] || npm ci --silent ;;
    clients) [ -d clients/node_modules ] || (cd clients && npm ci --silent) ;;
    *) echo "usage: conformance.sh [clients] [suites]" >&2; exit 2 ;;
    esac
done
# The suites ask for more in a minute than any client: how much they may is not what they measure.
export KEROXIO_HTTP_ADDR=127.0.0.1:${PORT:-18931} KEROXIO_LOG=warn
export KEROXIO_COST_CAPACITY=100000000 KEROXIO_ANONYMOUS_COST_CAPACITY=100000000
# A server of somebody else there would answer in the place of ours, and be attacked.
! (exec 3<>"/dev/tcp/${KEROXIO_HTTP_ADDR/://}") 2>/dev/null || { echo "$KEROXIO_HTTP_ADDR is taken; set PORT" >&2; exit 2; }
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
kill -0 "$server" || { echo "the server did not start" >&2; exit 1; }
verdict=0
for part in $parts; do
    case $part in
    suites) node run.mjs "http://$KEROXIO_HTTP_ADDR" || verdict=1 ;;
    clients) node clients/run.mjs "http://$KEROXIO_HTTP_ADDR" || verdict=1 ;;
    esac
done
exit "$verdict"
