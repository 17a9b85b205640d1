ALTER TABLE images_cleanings DROP COLUMN frame;
