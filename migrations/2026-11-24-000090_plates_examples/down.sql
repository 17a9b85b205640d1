DROP TABLE plates_examples;
DROP INDEX plates_readings_crop;
ALTER TABLE plates_readings DROP COLUMN corrected_at;
ALTER TABLE plates_readings DROP COLUMN crop_object;
