ALTER TABLE images_cleanings DROP COLUMN job_id;
