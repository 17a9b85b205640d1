DROP TABLE listing_price_watch;
