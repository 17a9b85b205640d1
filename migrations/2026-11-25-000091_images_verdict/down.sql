DROP TABLE images_presets;
ALTER TABLE images_cleanings DROP COLUMN verdict, DROP COLUMN remarks, DROP COLUMN style;
