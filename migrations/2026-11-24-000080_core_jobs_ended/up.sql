-- Open jobs and ended ones part ways: what is claimed and finished a thousand times a second stays
-- in a small table, and a claim touches no index (heap-only updates want room on their page).
CREATE TABLE core_jobs_ended (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    queue text NOT NULL,
    priority smallint NOT NULL,
    org_id uuid,
    args jsonb NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('done', 'dead', 'cancelled')),
    attempt integer NOT NULL,
    max_attempts integer NOT NULL,
    ordering_key text,
    provider text,
    -- Failed attempts, oldest first: [{"attempt", "at", "error"}].
    history jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    ended_at timestamptz NOT NULL,
    -- Nothing is kept for ever: dead jobs until an operator decides, the others as long as their kind says.
    keep_until timestamptz
);
CREATE INDEX core_jobs_ended_outcome ON core_jobs_ended (outcome, ended_at);
CREATE INDEX core_jobs_ended_keep ON core_jobs_ended (keep_until);

INSERT INTO core_jobs_ended
SELECT id, name, queue, 1, NULL, args, 'dead', attempt, max_attempts, NULL, NULL,
    jsonb_build_array(jsonb_build_object('attempt', attempt, 'at', finished_at, 'error', last_error)),
    created_at, NULL, coalesce(finished_at, created_at), NULL
FROM core_jobs WHERE state = 'dead';
DELETE FROM core_jobs WHERE state IN ('done', 'dead');

DROP INDEX core_jobs_due;
DROP INDEX core_jobs_leases;
DROP INDEX core_jobs_dead;
ALTER TABLE core_jobs
    ADD COLUMN seq bigint GENERATED ALWAYS AS IDENTITY,
    ADD COLUMN priority smallint NOT NULL DEFAULT 1,
    ADD COLUMN org_id uuid,
    ADD COLUMN ordering_key text,
    ADD COLUMN unique_key text,
    ADD COLUMN provider text,
    ADD COLUMN batch_id uuid,
    ADD COLUMN worker uuid,
    ADD COLUMN started_at timestamptz,
    ADD COLUMN cancelled_at timestamptz,
    ADD COLUMN history jsonb NOT NULL DEFAULT '[]',
    DROP COLUMN state,
    DROP COLUMN lease_until,
    DROP COLUMN last_error,
    DROP COLUMN finished_at;
ALTER TABLE core_jobs ALTER COLUMN attempt SET DEFAULT 0, ALTER COLUMN priority DROP DEFAULT;
ALTER TABLE core_jobs SET (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.5);
CREATE INDEX core_jobs_later ON core_jobs (run_at) WHERE dispatched_at IS NULL;
CREATE INDEX core_jobs_order ON core_jobs (ordering_key, seq) WHERE ordering_key IS NOT NULL;
-- At most one equal job waits; the claim clears the key.
CREATE INDEX core_jobs_provider ON core_jobs (provider, seq) WHERE provider IS NOT NULL;
CREATE UNIQUE INDEX core_jobs_unique ON core_jobs (unique_key) WHERE unique_key IS NOT NULL;

-- Processes that run jobs. One that falls silent loses its jobs to others.
CREATE TABLE core_workers (
    id uuid PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now()
);

-- Jobs that belong together; the last one to end enqueues the job kept here.
CREATE TABLE core_batches (
    id uuid PRIMARY KEY,
    open integer NOT NULL CHECK (open >= 0),
    callback jsonb NOT NULL
);

-- When each recurring job is due next.
CREATE TABLE core_schedules (
    name text PRIMARY KEY,
    next_at timestamptz NOT NULL
);
