#!/usr/bin/env bash
# Our durable jobs beside BullMQ, apalis-redis and two floors of our own: same Redis, runs in turn.
# The last line is one JSON object of ratios (medians). JOBS, ROUNDS and LONE change the size of a run.
set -euo pipefail
cd "$(dirname "$0")/../.."
peers=$PWD/modules/core/benches/peers
export JOBS=${JOBS:-10000} LONE=${LONE:-200}
command -v npm >/dev/null || { echo "bench-jobs: BullMQ needs Node 20 and npm (apt-get install nodejs npm)" >&2; exit 3; }
echo "==> building" >&2
ours=$(cargo bench --locked -p keroxio-core --bench jobs --no-run --message-format=json | python3 -c '
import json, sys
built = [json.loads(line) for line in sys.stdin]
print([b["executable"] for b in built if b.get("target", {}).get("name") == "jobs" and b.get("executable")][-1])')
cargo build --locked --release --manifest-path "$peers/apalis/Cargo.toml" >&2
[ -d "$peers/bullmq/node_modules" ] || (cd "$peers/bullmq" && npm ci --silent >&2)
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
for round in $(seq "${ROUNDS:-3}"); do
    echo "==> round $round" >&2
    ROUNDS=1 "$ours" | tee -a "$lines"
    node "$peers/bullmq/bench.mjs" | tee -a "$lines"
    "$CARGO_TARGET_DIR/release/keroxio-bench-apalis" | tee -a "$lines"
done
echo "==> a backlog of ${BACKLOG:=100000}" >&2
ROUNDS=1 JOBS=$BACKLOG LONE=0 "$ours"
python3 - "$lines" <<'PY'
import json, statistics, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
def median(what, field):
    return statistics.median(r[field] for r in rows if r["what"] == what and field in r)
total = lambda what: median(what, "total")
print(json.dumps({
    "durable_vs_bullmq": round(total("keroxio") / total("bullmq"), 3),
    "durable_vs_apalis": round(total("keroxio") / total("apalis"), 3),
    "outbox_floor_share": round(total("keroxio") / total("floor_outbox"), 3),
    "lone_start_p50_vs_bullmq": round(median("keroxio", "lone_start_p50_ms") / median("bullmq", "lone_start_p50_ms"), 3),
}))
PY
