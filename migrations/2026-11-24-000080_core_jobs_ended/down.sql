DROP TABLE core_schedules;
DROP TABLE core_batches;
DROP TABLE core_workers;
DROP INDEX core_jobs_unique;
DROP INDEX core_jobs_provider;
DROP INDEX core_jobs_order;
DROP INDEX core_jobs_later;
ALTER TABLE core_jobs RESET (fillfactor, autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor);
ALTER TABLE core_jobs
    ADD COLUMN state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'dead')),
    ADD COLUMN lease_until timestamptz,
    ADD COLUMN last_error text,
    ADD COLUMN finished_at timestamptz,
    DROP COLUMN seq,
    DROP COLUMN priority,
    DROP COLUMN org_id,
    DROP COLUMN ordering_key,
    DROP COLUMN unique_key,
    DROP COLUMN provider,
    DROP COLUMN batch_id,
    DROP COLUMN worker,
    DROP COLUMN started_at,
    DROP COLUMN cancelled_at,
    DROP COLUMN history;
INSERT INTO core_jobs (id, name, queue, args, state, attempt, max_attempts, run_at, created_at, last_error, finished_at)
SELECT id, name, queue, args, CASE outcome WHEN 'cancelled' THEN 'done' ELSE outcome END, attempt, max_attempts,
    created_at, created_at, history -> -1 ->> 'error', ended_at
FROM core_jobs_ended;
ALTER TABLE core_jobs ALTER COLUMN state DROP DEFAULT, ALTER COLUMN attempt DROP DEFAULT;
DROP TABLE core_jobs_ended;
CREATE INDEX core_jobs_due ON core_jobs (queue, run_at) WHERE state = 'queued';
CREATE INDEX core_jobs_leases ON core_jobs (lease_until) WHERE state = 'running';
CREATE INDEX core_jobs_dead ON core_jobs (queue) WHERE state = 'dead';
