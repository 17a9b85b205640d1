-- How the market moves around a listing since its seller last heard of it.
CREATE TABLE listing_price_watch (
    listing_id uuid PRIMARY KEY REFERENCES listing_ads (id) ON DELETE CASCADE,
    -- The estimate the seller knows, and its middle in euros.
    estimate_id uuid NOT NULL,
    known_eur integer NOT NULL,
    -- Logarithm of the middle estimate, smoothed over the nights.
    smoothed double precision NOT NULL,
    checked_at timestamptz NOT NULL
);
