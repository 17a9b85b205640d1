DROP TABLE images_cleanings;
