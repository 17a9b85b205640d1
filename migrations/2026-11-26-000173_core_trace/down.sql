ALTER TABLE core_jobs DROP COLUMN trace;
