#!/usr/bin/env bash
# Saves the database and the files: backup.sh FOLDER. Reads DATABASE_URL and KEROXIO_STORAGE_DIR or KEROXIO_S3_*.
# Writes FOLDER/<time>/{keroxio.dump,files.tar,SHA256SUMS}; files of a bucket go to FOLDER/bucket, once each, as they never
# change. KEROXIO_SECRET_KEY is not in it: keep that elsewhere, without it nobody can log in again nor open what is sealed.
# KEEP_DAYS=14 is how long backups stay. BACKUP_METRICS names a file for the textfile collector of node_exporter.
set -euo pipefail
umask 077
here=$(cd "$(dirname "$0")" && pwd)
to=${1:?usage: backup.sh FOLDER}
: "${DATABASE_URL:?}"
began=$(date +%s)
mkdir -p "$to"
exec 9>"$to/.lock"
flock -n 9 || { echo "backup: another one is under way in $to" >&2; exit 1; }
part=$to/.part
rm -rf "$part"
mkdir "$part"
trap 'rm -rf "$part"' EXIT

# The database first: a row points to a file that was there before it, and files are taken away after their rows.
# Without the schema of the observer, whose role another server need not have.
pg_dump --format=custom --compress=6 --no-owner --exclude-schema=observer --file="$part/keroxio.dump" "$DATABASE_URL"
pg_restore --list "$part/keroxio.dump" >/dev/null
if [ -n "${KEROXIO_S3_BUCKET:-}" ]; then
    python3 "$here/bucket.py" save "$to/bucket" >"$part/files.list"
else
    # A file that goes away while it is read is no fault (tar says 1); anything else is.
    tar --create --file="$part/files.tar" --directory="${KEROXIO_STORAGE_DIR:?}" --exclude=./health . ||
        { [ $? = 1 ] && echo "backup: files changed while they were read" >&2; }
fi
(cd "$part" && sha256sum -- * >SHA256SUMS)
sync
name=$(date -u +%Y-%m-%dT%H%M%SZ)
mv "$part" "$to/$name"
find "$to" -mindepth 1 -maxdepth 1 -type d -name '20*Z' -mtime "+${KEEP_DAYS:-14}" -exec rm -rf {} +
# What was erased must not live on: a file of the bucket goes with the last backup that names it.
if [ -d "$to/bucket" ]; then
    comm -23 <(cd "$to/bucket" && find . -type f ! -name '*.part' -printf '%P\n' | sort) <(sort -u "$to"/20*Z/files.list) |
        while read -r gone; do rm -f "$to/bucket/$gone"; done
fi

if [ -n "${BACKUP_METRICS:-}" ]; then
    cat >"$BACKUP_METRICS.part" <<PROM
# HELP keroxio_backup_last_success_timestamp_seconds When the last backup ended well.
# TYPE keroxio_backup_last_success_timestamp_seconds gauge
keroxio_backup_last_success_timestamp_seconds $(date +%s)
# HELP keroxio_backup_duration_seconds How long it took.
# TYPE keroxio_backup_duration_seconds gauge
keroxio_backup_duration_seconds $(($(date +%s) - began))
# HELP keroxio_backup_size_bytes How large it is, without the files of a bucket.
# TYPE keroxio_backup_size_bytes gauge
keroxio_backup_size_bytes $(du -sb "$to/$name" | cut -f 1)
PROM
    chmod 644 "$BACKUP_METRICS.part"
    mv "$BACKUP_METRICS.part" "$BACKUP_METRICS"
fi
echo "$to/$name"
