#!/usr/bin/env bash
# What becomes of varied photos, before and after: a sheet for every twelve, because an ad has twenty at most, and a
# report beside each, below .keroxio/sheet.
# PHOTO: the photos; otherwise those of sheet.txt below DATA.
set -euo pipefail
cd "$(dirname "$0")/../.."
data=${DATA:-../shared/vision}
if [ -n "${PHOTO:-}" ]; then
    read -r -a photos <<<"$PHOTO"
else
    mapfile -t photos < <(grep -v '^#' api/dev/sheet.txt | sed "s|^|$data/|")
    for photo in "${photos[@]}"; do
        [ -e "$photo" ] || { echo "$photo is missing: set PHOTO=\"a.jpg b.jpg\", or DATA" >&2; exit 2; }
    done
fi
for ((first = 0; first < ${#photos[@]}; first += 12)); do
    "$1" demo --out ".keroxio/sheet/$((first / 12 + 1))" "${photos[@]:first:12}"
done
