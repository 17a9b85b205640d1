#!/usr/bin/env bash
# Runs the system and a Prometheus beside it, lets people use it, and looks whether every panel and every alert has its data.
# Needs prometheus (apt-get install prometheus), a built program in $KEROXIO, and the settings of its servers: `make grafana`.
#     live.sh HOST:PORT…   only starts a Prometheus that looks at these every second, tells its address, and waits
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
command -v prometheus >/dev/null || { echo "this needs prometheus: apt-get install prometheus" >&2; exit 2; }
folder=$(mktemp -d)
pids=()
end() { [ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$folder"; }
trap end EXIT
trap 'exit 130' INT TERM
read -r -a ports < <(python3 -c 'import socket
s = [socket.socket() for _ in range(7)]
for one in s: one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in s))')
quietly() { "$@" >>"$folder/others.log" 2>&1 & pids+=("$!"); }
answers() { for _ in $(seq 150); do ! curl -skf "$1" >/dev/null || return 0; sleep 0.2; done; cat "$folder"/*.log >&2; exit 1; }
prometheus=127.0.0.1:${PROMETHEUS_PORT:-${ports[0]}}

# start_prometheus NAME=ADDRESS… : one job each
start_prometheus() {
    { printf 'global: { scrape_interval: 1s, evaluation_interval: 1s }\nrule_files: [%s]\nscrape_configs:\n' "$here/alerts/keroxio.yml"
      for job in "$@"; do printf -- "  - { job_name: %s, static_configs: [{ targets: ['%s'] }] }\n" "${job%%=*}" "${job#*=}"; done
      [ ! -f "$folder/probe.yml" ] || cat "$folder/probe.yml"; } >"$folder/prometheus.yml"
    quietly prometheus --config.file="$folder/prometheus.yml" --storage.tsdb.path="$folder/data" --web.listen-address="$prometheus" --log.level=warn
    answers "http://$prometheus/-/ready"
}

if [ $# -gt 0 ]; then
    jobs=(); for address in "$@"; do jobs+=("keroxio-$(printf %s "$address" | tr -c '[:alnum:]' -)=$address"); done
    start_prometheus "${jobs[@]}"
    echo "http://$prometheus"
    wait
    exit
fi

export KEROXIO_HTTP_ADDR=127.0.0.1:${PORT:-${ports[1]}} KEROXIO_METRICS_ADDR=127.0.0.1:${ports[2]} KEROXIO_LOG=warn
export KEROXIO_PUBLIC_URL=http://$KEROXIO_HTTP_ADDR KEROXIO_STORAGE_DIR=$folder/files
# Webhooks and letters go to a little server of the journey.
export KEROXIO_WEBHOOKS_PRIVATE=on RESEND_API_KEY=re_nobody RESEND_BASE_URL=http://127.0.0.1:${ports[3]}
"$KEROXIO" migrate >/dev/null
"$KEROXIO" run >"$folder/keroxio.log" 2>&1 & pids+=("$!")
answers "http://$KEROXIO_HTTP_ADDR/readyz"
jobs=("keroxio-api=$KEROXIO_METRICS_ADDR")

# What deploy/ has beside the program, where this machine has it: the age of the backup and of the certificate.
if command -v prometheus-node-exporter >/dev/null; then
    mkdir "$folder/textfile" "$folder/backup"
    quietly prometheus-node-exporter --web.listen-address="127.0.0.1:${ports[4]}" --collector.disable-defaults \
        --collector.textfile --collector.textfile.directory="$folder/textfile"
    BACKUP_METRICS=$folder/textfile/keroxio.prom bash "$here/../deploy/backup.sh" "$folder/backup" >/dev/null
    jobs+=("node=127.0.0.1:${ports[4]}")
else
    echo "prometheus-node-exporter is not installed: nobody tells the age of the backup" >&2
fi
blackbox=$(command -v prometheus-blackbox-exporter blackbox_exporter | head -n 1 || true)
if [ -n "$blackbox" ] && command -v openssl >/dev/null; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
        -keyout "$folder/key.pem" -out "$folder/cert.pem" 2>/dev/null
    quietly openssl s_server -accept "127.0.0.1:${ports[5]}" -cert "$folder/cert.pem" -key "$folder/key.pem" -www
    sed 's/insecure_skip_verify: false/insecure_skip_verify: true/' "$here/../deploy/blackbox.yml" >"$folder/blackbox.yml"
    quietly "$blackbox" --config.file="$folder/blackbox.yml" --web.listen-address="127.0.0.1:${ports[6]}"
    cat >"$folder/probe.yml" <<YML
  - job_name: site
    metrics_path: /probe
    params: { module: [site], target: ['https://127.0.0.1:${ports[5]}'] }
    static_configs: [{ targets: ['127.0.0.1:${ports[6]}'] }]
YML
else
    echo "prometheus-blackbox-exporter is not installed: nobody tells the age of the certificate" >&2
fi

start_prometheus "${jobs[@]}"
# A storage that fails for a moment.
mv "$KEROXIO_STORAGE_DIR" "$folder/aside" 2>/dev/null || mkdir "$folder/aside"
touch "$KEROXIO_STORAGE_DIR"
python3 "$here/journey.py" "http://$KEROXIO_HTTP_ADDR" --upload-only >"$folder/journey.txt"
rm "$KEROXIO_STORAGE_DIR"
mv "$folder/aside" "$KEROXIO_STORAGE_DIR"
# Twice, because a rate needs a look before and one after.
for _ in 1 2; do
    python3 "$here/journey.py" "http://$KEROXIO_HTTP_ADDR" --receiver "${ports[3]}" --keroxio "$KEROXIO" >"$folder/journey.txt" || { cat "$folder/journey.txt"; exit 1; }
done
sql=()
if command -v psql >/dev/null; then
    password=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
    psql "$DATABASE_URL" -qX -v password="$password" -f "$here/../deploy/observer.sql" 2>/dev/null
    sql=(--sql "$(printf %s "$DATABASE_URL" | sed -E "s#//[^@]*@#//observer:$password@#")")
fi
python3 "$here/lint.py" --live "http://$prometheus" "${sql[@]}"
