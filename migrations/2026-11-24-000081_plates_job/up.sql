ALTER TABLE plates_readings ADD COLUMN job_id uuid;
