DROP INDEX core_jobs_dead;
CREATE INDEX core_jobs_open ON core_jobs (queue, state) WHERE state <> 'done';
