-- When the car was sold; null while it is for sale.
ALTER TABLE listing_ads ADD COLUMN sold_at timestamptz;
