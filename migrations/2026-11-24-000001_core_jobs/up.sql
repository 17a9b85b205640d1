CREATE TABLE core_jobs (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    queue text NOT NULL,
    args jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('queued', 'running', 'done', 'dead')),
    attempt integer NOT NULL,
    max_attempts integer NOT NULL,
    run_at timestamptz NOT NULL,
    dispatched_at timestamptz,
    lease_until timestamptz,
    last_error text,
    created_at timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX core_jobs_due ON core_jobs (queue, run_at) WHERE state = 'queued';
CREATE INDEX core_jobs_leases ON core_jobs (lease_until) WHERE state = 'running';
CREATE INDEX core_jobs_open ON core_jobs (queue, state) WHERE state <> 'done';
