CREATE TABLE publication_packs (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    listing_id uuid NOT NULL REFERENCES listing_ads (id) ON DELETE CASCADE,
    channel text NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    fields jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('prepared', 'published')),
    ad_url text,
    external_id text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (listing_id, channel)
);
CREATE INDEX publication_packs_org ON publication_packs (org_id, id);
