ALTER TABLE plates_readings DROP COLUMN accepted;
