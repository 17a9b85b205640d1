DROP TABLE images_variants;
ALTER TABLE images_cleanings DROP COLUMN drawn_style, DROP COLUMN faces_blurred, DROP COLUMN angle_confidence, DROP COLUMN angle;
