DROP TABLE listing_progress;
DROP TABLE listing_steps;
DROP TABLE listing_photos;
DROP TABLE listing_ads;
