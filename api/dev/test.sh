#!/usr/bin/env bash
# Runs every test and closes with one line that sums them up, also kept in .keroxio/test-summary.
set -uo pipefail
cd "$(dirname "$0")/../.."
mkdir -p .keroxio
rm -f .keroxio/test-summary
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A dictionary checks the French of ads, where there is one.
if ! command -v hunspell >/dev/null && [ "$(id -u)" = 0 ]; then
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends hunspell hunspell-fr; } >/dev/null 2>&1 ||
        echo "hunspell could not be installed: the check of the ads' French is skipped" >&2
fi
cargo test --locked --workspace --no-fail-fast 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
# A build that breaks or a test program that dies prints no result of its own and counts as one failure;
# so does a run in which nothing was tested.
awk -v status="$status" '
    /^test result:/ { passed += $4; failed += $6; skipped += $8 }
    END {
        if (failed == 0 && (status != 0 || passed == 0)) failed = 1
        printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
        exit failed > 0
    }' "$log" | tee .keroxio/test-summary
