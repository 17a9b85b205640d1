#!/usr/bin/env bash
# Private PostgreSQL and Redis of this checkout: services.sh up|down|status|env|purge
# KEROXIO_SERVICES=test gives a second pair that trades durability for speed.
set -euo pipefail
cd "$(dirname "$0")/../.."
profile=${KEROXIO_SERVICES:-dev}
home=$PWD/.keroxio/$profile
mkdir -p "$home"
say() { echo "==> $*" >&2; }
fail() { echo "services: $*" >&2; exit 1; }

# Two commands that start or stop at the same time wait for each other.
exec 9>"$home/lock"
flock 9

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
[ -n "$bin" ] && command -v redis-server >/dev/null || fail "PostgreSQL or Redis is not installed: run make setup"

# PostgreSQL refuses to run as root. From / because the postgres user may not enter the checkout.
if [ "$(id -u)" = 0 ]; then as() { (cd / && runuser -u postgres -- "$@"); }; else as() { "$@"; }; fi

# Where the postgres user cannot enter (a clone under /root), the data lives elsewhere.
data=$home/pg
outside=/var/lib/keroxio/$(printf %s "$home" | sha256sum | cut -c1-16)
if [ "$(id -u)" = 0 ] && ! as test -x "$home" 2>/dev/null; then data=$outside/pg; fi

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
secret() { python3 -c 'import secrets; print(secrets.token_hex(32))'; }
taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

settings() {
    if [ ! -f "$home/settings" ]; then
        (umask 077; printf 'PASSWORD=%s\nSECRET_KEY=%s\n' "$(secret)" "$(secret)" >"$home/settings")
    fi
    . "$home/settings"
    [ ! -f "$home/ports" ] || . "$home/ports"
}

pg_up() { [ -f "$data/postmaster.pid" ] && as "$bin/pg_ctl" -D "$data" status >/dev/null 2>&1; }

# After a reboot the process of a left-over pid file may be somebody else's, so its command line is compared too.
redis_up() {
    local pid
    pid=$(cat "$home/redis.pid" 2>/dev/null) && [ -n "$pid" ] &&
        tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q "redis-server 127.0.0.1:${REDIS_PORT:-none}"
}

# Ports stay the same from one start to the next unless another program took one meanwhile.
ports() {
    pg_up || { [ -n "${PG_PORT:-}" ] && ! taken "$PG_PORT"; } || PG_PORT=$(free_port)
    redis_up || { [ -n "${REDIS_PORT:-}" ] && [ "$REDIS_PORT" != "$PG_PORT" ] && ! taken "$REDIS_PORT"; } || REDIS_PORT=$(free_port)
    printf 'PG_PORT=%s\nREDIS_PORT=%s\n' "$PG_PORT" "$REDIS_PORT" >"$home/ports"
}

up() {
    settings
    if pg_up && redis_up; then return; fi
    ports
    pg_up || start_pg
    redis_up || start_redis
    say "PostgreSQL on 127.0.0.1:$PG_PORT and Redis on 127.0.0.1:$REDIS_PORT ($profile)"
}

# A cluster without its marker is half made, or belongs to an earlier clone at this path with another password.
init_pg() {
    say "creating the database cluster"
    rm -rf "$data"
    install -d -m 755 "$(dirname "$data")"
    install -d -m 700 "$data"
    [ "$(id -u)" != 0 ] || chown postgres "$data"
    # Through cat: the postgres user may not open root's pipe by name, only read the one it inherits.
    printf '%s\n' "$PASSWORD" | as bash -c 'exec "$0" "$@" --pwfile=<(cat)' "$bin/initdb" -D "$data" -U keroxio \
        --auth=scram-sha-256 --no-sync -E UTF8 --locale=C.UTF-8 >"$home/initdb.log" 2>&1 ||
        { tail -n 20 "$home/initdb.log" >&2; fail "initdb failed; the whole log is in $home/initdb.log"; }
}

start_pg() {
    local options="-p $PG_PORT -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=300"
    [ "$profile" != test ] || options="$options -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    [ -f "$home/initialised" ] && [ -f "$data/PG_VERSION" ] || init_pg
    as "$bin/pg_ctl" -D "$data" -w -l "$data/server.log" -o "$options" start >"$home/pg_ctl.log" 2>&1 9>&- ||
        { tail -n 20 "$data/server.log" "$home/pg_ctl.log" >&2; fail "PostgreSQL did not start; to begin afresh: make clean"; }
    if [ ! -f "$home/initialised" ]; then
        PGPASSWORD=$PASSWORD "$bin/createdb" -h 127.0.0.1 -p "$PG_PORT" -U keroxio keroxio
        touch "$home/initialised"
    fi
}

start_redis() {
    local persist=(--appendonly yes)
    [ "$profile" != test ] || persist=(--save '' --appendonly no)
    mkdir -p "$home/redis"
    (umask 077; printf 'requirepass %s\n' "$PASSWORD" >"$home/redis.conf")
    redis-server "$home/redis.conf" --port "$REDIS_PORT" --bind 127.0.0.1 --dir "$home/redis" "${persist[@]}" \
        --daemonize yes --pidfile "$home/redis.pid" --logfile "$home/redis.log" >/dev/null 9>&- || fail "Redis did not start"
    for _ in $(seq 100); do
        REDISCLI_AUTH=$PASSWORD redis-cli -p "$REDIS_PORT" ping 2>/dev/null | grep -q PONG && return
        sleep 0.1
    done
    tail -n 20 "$home/redis.log" >&2
    fail "Redis does not answer; its log is $home/redis.log"
}

down() {
    settings
    ! pg_up || as "$bin/pg_ctl" -D "$data" -m fast -w stop >/dev/null
    if redis_up; then
        kill "$(cat "$home/redis.pid")"
        while redis_up; do sleep 0.1; done
        rm -f "$home/redis.pid"
    fi
}

show() {
    settings
    [ -n "${PG_PORT:-}" ] || fail "the servers were never started: run services.sh up"
    echo "DATABASE_URL=postgres://keroxio:$PASSWORD@127.0.0.1:$PG_PORT/keroxio"
    echo "REDIS_URL=redis://:$PASSWORD@127.0.0.1:$REDIS_PORT/0"
    echo "KEROXIO_SECRET_KEY=$SECRET_KEY"
    echo "KEROXIO_STORAGE_DIR=$home/storage"
}

case ${1:-} in
up) up ;;
down) down ;;
status) settings; pg_up && redis_up ;;
env) show ;;
purge) down; rm -rf "$data" "$home"; rmdir "$outside" 2>/dev/null || true ;;
*) fail "usage: services.sh up|down|status|env|purge" ;;
esac
