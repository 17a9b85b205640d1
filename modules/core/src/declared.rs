//! Settings that this crate reads from the environment.

use crate::Setting;

pub const ALL: &[Setting] = &[
    Setting::secret("DATABASE_URL", "", "PostgreSQL: `postgres://user:password@host:5432/name`. Required."),
    Setting::secret("REDIS_URL", "", "Redis: `redis://:password@host:6379/0`, `rediss://` with TLS. Required."),
    Setting::plain(
        "KEROXIO_REDIS_PREFIX",
        "keroxio",
        "Beginning of every key in Redis, for several installations on one server.",
    ),
    Setting::plain(
        "KEROXIO_DATABASE_POOL",
        "16",
        "Connections to PostgreSQL that each of the two pools of a process may have.",
    ),
    Setting::plain(
        "KEROXIO_DATABASE_POOL_IDLE",
        "all of them",
        "How many of them each keeps open while nobody needs them: a crowd need not wait for those to be opened.",
    ),
    Setting::secret(
        "KEROXIO_SECRET_KEY",
        "",
        "Secret of the installation, at least 32 characters (`openssl rand -hex 32`): what is sealed in the database and signed in addresses hangs on it. Required.",
    ),
    Setting::plain(
        "KEROXIO_TLS_CA",
        "",
        "File of certificate authorities in PEM that are trusted for PostgreSQL and Redis beside the usual ones.",
    ),
    Setting::plain(
        "KEROXIO_JOB_LEASE_SECONDS",
        "30",
        "Seconds after which a silent worker counts as dead and its jobs are taken back.",
    ),
    Setting::plain(
        "KEROXIO_SHUTDOWN_SECONDS",
        "25",
        "Seconds that running work has to end when a process is told to stop.",
    ),
    Setting::plain(
        "KEROXIO_QUEUE_LIMIT",
        "100000",
        "Jobs that may wait in one queue; beyond them new work is refused with `QUEUE_FULL`.",
    ),
    Setting::plain("KEROXIO_ORG_QUEUE_LIMIT", "20000", "The same for one organization."),
    Setting::plain("KEROXIO_COST_CAPACITY", "20000", "Points of GraphQL that an organization may spend at once."),
    Setting::plain("KEROXIO_COST_PER_SECOND", "200", "Points that come back to it each second."),
    Setting::plain(
        "KEROXIO_ANONYMOUS_COST_CAPACITY",
        "5000",
        "Points that an address may spend at once from which nobody signed in.",
    ),
    Setting::plain("KEROXIO_ANONYMOUS_COST_PER_SECOND", "50", "Points that come back to it each second."),
    Setting::plain(
        "KEROXIO_LOG",
        "info,ort=warn",
        "What is logged, as `tracing` filters say it, for instance `info,keroxio_core=debug`.",
    ),
    Setting::plain("KEROXIO_LOG_FORMAT", "text", "`text` or `json`."),
    Setting::plain(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "",
        "Collector of traces (OTLP over HTTP), for instance `http://127.0.0.1:4318`; without one none are made. `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` and `OTEL_EXPORTER_OTLP_HEADERS` are understood too.",
    ),
    Setting::plain(
        "KEROXIO_TRACES",
        "info,keroxio_core=debug,fred=debug",
        "What is traced, as `tracing` filters say it; the default has SQL statements and commands of Redis in it.",
    ),
];
