ALTER TABLE pricing_estimates DROP COLUMN evidence;
DROP TABLE pricing_levels;
DROP TABLE pricing_ads;
