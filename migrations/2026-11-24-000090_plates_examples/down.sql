DROP TABLE plates_examples;
ALTER TABLE plates_readings DROP COLUMN measured;
ALTER TABLE plates_readings DROP COLUMN corrected_at;
