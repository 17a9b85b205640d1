-- Which part of the photo a rendition shows, so that it can be laid beside the one with the original ground.
ALTER TABLE images_cleanings ADD COLUMN frame jsonb;
