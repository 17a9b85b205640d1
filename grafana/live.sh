#!/usr/bin/env bash
# Runs the system and a Prometheus beside it, lets the journey happen, and looks whether every panel has data.
# Needs promtool and prometheus (apt-get install prometheus) and a built program in $KEROXIO.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
command -v prometheus >/dev/null || { echo "this needs prometheus: apt-get install prometheus" >&2; exit 2; }
folder=$(mktemp -d)
export KEROXIO_HTTP_ADDR=127.0.0.1:${PORT:-18940} KEROXIO_LOG=warn KEROXIO_STORAGE_DIR=$folder/files
"$KEROXIO" migrate >/dev/null
"$KEROXIO" run >"$folder/log" 2>&1 &
server=$!
cat >"$folder/prometheus.yml" <<YML
global: { scrape_interval: 1s }
rule_files: [$here/alerts/keroxio.yml]
scrape_configs: [{ job_name: keroxio, static_configs: [{ targets: ['$KEROXIO_HTTP_ADDR'] }] }]
YML
prometheus --config.file="$folder/prometheus.yml" --storage.tsdb.path="$folder/data" \
    --web.listen-address="127.0.0.1:${PROMETHEUS_PORT:-18941}" >"$folder/prometheus.log" 2>&1 &
prometheus=$!
trap 'kill "$server" "$prometheus" 2>/dev/null; wait 2>/dev/null || true; rm -rf "$folder"' EXIT
url=http://$KEROXIO_HTTP_ADDR
for _ in $(seq 150); do ! curl -sf "$url/readyz" >/dev/null || break; sleep 0.2; done
kill -0 "$server" || { cat "$folder/log" >&2; exit 1; }
gql() { curl -s "$url/graphql" -H 'content-type: application/json' ${token:+-H "authorization: Bearer $token"} -d "$1"; }
# A rate needs two looks, before and after.
sleep 3
token=$(gql '{"query":"mutation{register(input:{email:\"live-'$(date +%s%N)'@example.org\",password:\"a long password\",organizationName:\"Live\",organizationKind:DEALER}){accessToken}}"}' | sed 's/.*"accessToken":"\([^"]*\)".*/\1/')
# Every few seconds another ad; a picture that is known already would not be read again.
for picture in no-car exif-rotated suv-front hatch-rear hatch-front; do
    photo=$(curl -s "$url/graphql" -H "authorization: Bearer $token" -F 'operations={"query":"mutation($f:Upload!){uploadPhoto(file:$f){id}}","variables":{"f":null}}' -F 'map={"0":["variables.f"]}' -F "0=@$here/../tests/fixtures/$picture.jpg" | sed 's/.*"id":"\([^"]*\)".*/\1/')
    gql "{\"query\":\"mutation{prepareListing(input:{photoIds:[\\\"$photo\\\"],vehicle:{make:\\\"Renault\\\",model:\\\"Clio\\\",firstRegistration:\\\"2020-03\\\",mileageKm:45000}}){id}}\"}" >/dev/null
    gql '{"query":"{ vehicle(id: \"01890000-0000-7000-8000-000000000000\") { id } }"}' >/dev/null
    sleep 5
done
python3 "$here/lint.py" --live "http://127.0.0.1:${PROMETHEUS_PORT:-18941}"
