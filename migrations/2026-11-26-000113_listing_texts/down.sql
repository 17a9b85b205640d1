DROP TABLE listing_rewritings;
DROP TABLE listing_texts;
