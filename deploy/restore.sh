#!/usr/bin/env bash
# Brings a backup back: restore.sh FOLDER/<time>. Into the database of DATABASE_URL, which must be empty, and the folder of
# KEROXIO_STORAGE_DIR or the bucket of KEROXIO_S3_*, which must be too. Then start the version that made the backup, or a newer
# one after `keroxio migrate`, with the KEROXIO_SECRET_KEY of before; Redis may be empty.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
from=${1:?usage: restore.sh FOLDER/TIME}
: "${DATABASE_URL:?}"
fail() { echo "restore: $*" >&2; exit 1; }
ask() { psql "$DATABASE_URL" -XAtq -v ON_ERROR_STOP=1 -c "$1"; }

[ -f "$from/SHA256SUMS" ] || fail "$from is no backup"
(cd "$from" && sha256sum --check --quiet --strict SHA256SUMS) || fail "$from is damaged"
tables=$(ask "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast'")
[ "$tables" = 0 ] || fail "the database has $tables tables already: make an empty one"
if [ -f "$from/files.tar" ]; then
    : "${KEROXIO_STORAGE_DIR:?this backup holds the files of a folder}"
    [ -z "${KEROXIO_S3_BUCKET:-}" ] || fail "this backup holds the files of a folder; unset KEROXIO_S3_BUCKET, or put them into the bucket with bucket.py"
    mkdir -p "$KEROXIO_STORAGE_DIR"
    [ -z "$(ls -A "$KEROXIO_STORAGE_DIR")" ] || fail "$KEROXIO_STORAGE_DIR is not empty"
else
    : "${KEROXIO_S3_BUCKET:?this backup holds the files of a bucket}"
fi

# Roles belong to the server, not to the database: the one behind which organizations are kept apart is made anew.
ask "DO \$\$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'keroxio_tenant') THEN CREATE ROLE keroxio_tenant NOLOGIN; END IF; END \$\$"
ask "GRANT keroxio_tenant TO current_user" 2>/dev/null || true
pg_restore --no-owner --exit-on-error --single-transaction --dbname="$DATABASE_URL" "$from/keroxio.dump"
ask "ANALYZE"
if [ -f "$from/files.tar" ]; then
    tar --extract --file="$from/files.tar" --directory="$KEROXIO_STORAGE_DIR" --no-same-owner
else
    python3 "$here/bucket.py" load "$(dirname "$from")/bucket" <"$from/files.list"
fi

# Every row must find its file.
objects=$(ask "SELECT count(*) FROM storage_objects")
if [ -f "$from/files.tar" ]; then
    missing=$(ask "SELECT key FROM storage_objects" | while read -r key; do [ -f "$KEROXIO_STORAGE_DIR/$key" ] || echo "$key"; done | wc -l)
else
    missing=$(ask "SELECT key FROM storage_objects" | sort | comm -23 - <(sort "$from/files.list") | wc -l)
fi
echo "$objects files are named in the database, $missing of them are missing"
echo "now: keroxio migrate, keroxio doctor, deploy/observer.sql"
[ "$missing" = 0 ]
