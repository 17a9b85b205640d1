ALTER TABLE images_cleanings ADD COLUMN job_id uuid;
