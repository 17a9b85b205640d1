ALTER TABLE listing_ads DROP COLUMN tone;
