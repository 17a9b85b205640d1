-- The gauges are counted from one small index per state; an index over all open rows cost every
-- job two more writes.
DROP INDEX core_jobs_open;
CREATE INDEX core_jobs_dead ON core_jobs (queue) WHERE state = 'dead';
