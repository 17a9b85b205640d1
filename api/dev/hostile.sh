#!/usr/bin/env bash
# Measures what an ordinary user feels of a thousand hostile requests, against a server of our own. Needs Node and npm.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
command -v npm >/dev/null || { echo "hostile needs Node 18 or later with npm: apt-get install nodejs npm" >&2; exit 2; }
cd "$here/tests/conformance"
[ -d node_modules ] || npm ci --silent
# How much a caller may ask for is part of what is measured: the limits stay as they are by default.
unset KEROXIO_COST_CAPACITY KEROXIO_COST_PER_SECOND KEROXIO_ANONYMOUS_COST_CAPACITY KEROXIO_ANONYMOUS_COST_PER_SECOND
export KEROXIO_HTTP_ADDR=127.0.0.1:${PORT:-18932} KEROXIO_LOG=warn
# A server of somebody else there would answer in the place of ours, and be attacked.
! (exec 3<>"/dev/tcp/${KEROXIO_HTTP_ADDR/://}") 2>/dev/null || { echo "$KEROXIO_HTTP_ADDR is taken; set PORT" >&2; exit 2; }
storage=$(mktemp -d)
export KEROXIO_STORAGE_DIR=$storage
"$KEROXIO" migrate >/dev/null
# Its log goes elsewhere, or a thousand warnings would hide the figures.
"$KEROXIO" run >"$storage/log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; rm -rf "$storage"' EXIT
for _ in $(seq 100); do
    ! curl -sf "http://$KEROXIO_HTTP_ADDR/readyz" >/dev/null || break
    sleep 0.2
done
kill -0 "$server" || { cat "$storage/log" >&2; echo "the server did not start" >&2; exit 1; }
verdict=0
SERVER_PID=$server node load.mjs "http://$KEROXIO_HTTP_ADDR" || verdict=$?
echo
echo "What the server logged, and how often:"
# Without the moments, by which no two lines are the same.
sed -E 's/^[0-9T:.Z-]+ +//' "$storage/log" | sort | uniq -c | sort -rn | head -n 10
kill -0 "$server" 2>/dev/null || { echo "the server did not live through it" >&2; verdict=1; }
exit "$verdict"
