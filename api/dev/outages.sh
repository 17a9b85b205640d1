#!/usr/bin/env bash
# Kills everything under a steady load of the journey, one after the other, and replaces two APIs and two workers while
# clients are connected; prints what that cost. Needs Node and npm, and a built program in $KEROXIO.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
command -v npm >/dev/null || { echo "outages needs Node 18 or later with npm: apt-get install nodejs npm" >&2; exit 2; }
clients=$here/tests/conformance/clients
[ -d "$clients/node_modules" ] || (cd "$clients" && npm ci --silent)
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
home=$here/.keroxio/$KEROXIO_SERVICES
PORTS=$(python3 -c 'import socket
s = [socket.socket() for _ in range(4)]
for one in s: one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in s))')
postgres=$(find "$home" /var/lib/keroxio -name postmaster.pid -newer "$home/ports" 2>/dev/null | head -n 1 || true)
[ -n "$postgres" ] || { echo "the private PostgreSQL is not to be found" >&2; exit 2; }
export PORTS SERVICES=$here/api/dev/services.sh LOGS=$logs REDIS_PID=$home/redis.pid POSTGRES_PID=$postgres
export PICTURE=$here/tests/fixtures/hatch-front.jpg KEROXIO_LOG=warn KEROXIO_STORAGE_DIR=$logs/files
export KEROXIO_COST_CAPACITY=1000000 KEROXIO_ANONYMOUS_COST_CAPACITY=1000000 KEROXIO_JOB_LEASE_SECONDS=${LEASE:-15}
"$KEROXIO" migrate >/dev/null
verdict=0
node "$clients/outages.mjs" || verdict=$?
if [ "$verdict" != 0 ]; then
    echo "What was logged, and how often:"
    sed -E 's/^[0-9T:.Z-]+ +//' "$logs"/*.log | cut -c1-160 | sort | uniq -c | sort -rn | head -n 20
fi
exit "$verdict"
