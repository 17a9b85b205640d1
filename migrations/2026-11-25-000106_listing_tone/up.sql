ALTER TABLE listing_ads
    ADD COLUMN tone text NOT NULL DEFAULT 'professional' CHECK (tone IN ('professional', 'friendly', 'short'));
