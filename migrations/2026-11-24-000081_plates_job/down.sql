ALTER TABLE plates_readings DROP COLUMN job_id;
