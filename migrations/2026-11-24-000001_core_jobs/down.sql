DROP TABLE core_jobs;
