#!/usr/bin/env bash
# Proves that a backup comes back: uses a system, saves it while it runs, restores it into an empty database and an empty
# folder, and compares. With moto_server on the PATH (pip install 'moto[server]') the same for a bucket.
# Needs the private servers and a built program:
#     KEROXIO_SERVICES=backup KEROXIO=… bash api/dev/with-services.sh bash deploy/test.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
pids=()
end() { [ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$folder"; }
trap end EXIT
trap 'exit 130' INT TERM
fail() { echo "FAILED: $*" >&2; exit 1; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
server=$DATABASE_URL
in_database() { printf '%s/%s' "${server%/*}" "$1"; }
fresh() { psql "$server" -qXAt -c "DROP DATABASE IF EXISTS $1" -c "CREATE DATABASE $1" 2>/dev/null; }
# How many rows each table has, and a digest of all of them.
digest() {
    psql "$1" -XAtq -c "SELECT format('SELECT %L, count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM %I t', tablename, tablename)
        FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename" | while read -r query; do psql "$1" -XAtq -c "$query"; done
}

KEROXIO_HTTP_ADDR=127.0.0.1:$(free_port) KEROXIO_METRICS_ADDR=127.0.0.1:$(free_port) receiver=$(free_port)
export KEROXIO_HTTP_ADDR KEROXIO_METRICS_ADDR KEROXIO_PUBLIC_URL=http://$KEROXIO_HTTP_ADDR KEROXIO_LOG=warn KEROXIO_WEBHOOKS_PRIVATE=on
export RESEND_API_KEY=re_nobody RESEND_BASE_URL=http://127.0.0.1:$receiver

start() { # name of the database
    DATABASE_URL=$(in_database "$1")
    export DATABASE_URL
    "$KEROXIO" migrate >/dev/null 2>&1
    "$KEROXIO" run >>"$folder/log" 2>&1 & keroxio=$!
    pids+=("$keroxio")
    for _ in $(seq 100); do ! curl -sf "http://$KEROXIO_HTTP_ADDR/readyz" >/dev/null || return 0; sleep 0.2; done
    cat "$folder/log"
    fail "the server did not start"
}
stop() { kill "$keroxio"; wait "$keroxio" || true; }
journey() {
    python3 "$here/../grafana/journey.py" "http://$KEROXIO_HTTP_ADDR" --receiver "$receiver" >"$folder/journey" 2>&1 || { cat "$folder/journey"; fail "$1"; }
}

round() { # what keeps the files
    echo "==> $1: used, saved while it runs, restored"
    rm -rf "${folder:?}/backup"
    fresh source
    fresh target
    start source
    journey "the journey"
    BACKUP_METRICS=$folder/metrics.prom bash "$here/backup.sh" "$folder/backup" >/dev/null
    grep -q '^keroxio_backup_last_success_timestamp_seconds [0-9]' "$folder/metrics.prom" || fail "no metrics"
    stop
    # Only a system that stands still can be compared row by row.
    sleep 1
    saved=$(bash "$here/backup.sh" "$folder/backup")
    digest "$DATABASE_URL" >"$folder/before"
    echo "    $(wc -l <"$folder/before") tables, $(awk -F'|' '{ rows += $2 } END { print rows }' "$folder/before") rows"

    ! DATABASE_URL=$(in_database source) bash "$here/restore.sh" "$saved" >/dev/null 2>&1 || fail "restored over a database in use"
    cp -r "$saved" "$folder/backup/damaged"
    printf x >>"$folder/backup/damaged/keroxio.dump"
    ! DATABASE_URL=$(in_database target) bash "$here/restore.sh" "$folder/backup/damaged" >/dev/null 2>&1 || fail "restored a damaged backup"
    empty_files
    DATABASE_URL=$(in_database target) bash "$here/restore.sh" "$saved"
    digest "$(in_database target)" >"$folder/after"
    diff "$folder/before" "$folder/after" || fail "rows differ"
    start target
    "$KEROXIO" doctor >"$folder/doctor" || { cat "$folder/doctor"; fail "the doctor"; }
    picture=$(psql "$DATABASE_URL" -XAtq -F ' ' -c "SELECT public_key, bytes FROM storage_objects WHERE public_key IS NOT NULL ORDER BY created_at LIMIT 1")
    curl -sf -o "$folder/picture" "http://$KEROXIO_HTTP_ADDR/p/${picture% *}" || fail "a picture of before does not open"
    [ "$(stat -c %s "$folder/picture")" = "${picture#* }" ] || fail "a picture of before is not what it was"
    # Jobs run, letters leave, the walls between organizations stand.
    journey "the journey after the restore"
    echo "    every row is there, a public picture of before opens, the journey goes on"
    stop
}

export KEROXIO_STORAGE_DIR=$folder/files
empty_files() { export KEROXIO_STORAGE_DIR=$folder/restored; }
round "a folder"

if command -v moto_server >/dev/null; then
    port=$(free_port)
    moto_server -H 127.0.0.1 -p "$port" >"$folder/s3.log" 2>&1 & pids+=("$!")
    export KEROXIO_S3_ENDPOINT=http://127.0.0.1:$port KEROXIO_S3_REGION=us-east-1 KEROXIO_S3_BUCKET=first
    export KEROXIO_S3_ACCESS_KEY_ID=somebody KEROXIO_S3_SECRET_ACCESS_KEY=something
    for _ in $(seq 100); do ! curl -s "$KEROXIO_S3_ENDPOINT" >/dev/null || break; sleep 0.2; done
    for bucket in first second; do curl -sf -X PUT "$KEROXIO_S3_ENDPOINT/$bucket" >/dev/null; done
    empty_files() { export KEROXIO_S3_BUCKET=second; }
    round "a bucket"
else
    echo "==> a bucket: skipped, moto_server is not on the PATH"
fi
echo "==> what was saved came back"
