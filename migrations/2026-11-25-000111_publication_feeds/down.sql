DROP TABLE publication_feeds;
