ALTER TABLE listing_ads DROP COLUMN sold_at;
