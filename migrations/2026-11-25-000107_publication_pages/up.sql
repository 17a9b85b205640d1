-- The page of our own that shows an ad to anybody.
CREATE TABLE publication_pages (
    listing_id uuid PRIMARY KEY REFERENCES listing_ads (id) ON DELETE CASCADE,
    org_id uuid NOT NULL,
    slug text NOT NULL UNIQUE,
    opened_at timestamptz NOT NULL,
    -- When it was taken away, or its car sold; null while it is open.
    gone_at timestamptz
);
CREATE INDEX publication_pages_open ON publication_pages (listing_id) WHERE gone_at IS NULL;
