-- A page that staff hid from everybody, and why.
ALTER TABLE publication_pages ADD COLUMN hidden_at timestamptz;
ALTER TABLE publication_pages ADD COLUMN hidden_for text;

-- What somebody told us of an ad (article 16 of Regulation (EU) 2022/2065). For staff only: whoever sells never learns
-- who told.
CREATE TABLE publication_reports (
    id uuid PRIMARY KEY,
    listing_id uuid NOT NULL REFERENCES publication_pages (listing_id) ON DELETE CASCADE,
    reason text NOT NULL,
    details text NOT NULL,
    email text,
    network text,
    created_at timestamptz NOT NULL,
    -- `open`, `dismissed` or `hidden`.
    state text NOT NULL,
    decided_at timestamptz,
    decided_by uuid,
    statement text
);
CREATE INDEX publication_reports_open ON publication_reports (id DESC) WHERE state = 'open';
CREATE INDEX publication_reports_listing ON publication_reports (listing_id);
CREATE INDEX publication_reports_decided ON publication_reports (decided_at);
ALTER TABLE publication_reports ENABLE ROW LEVEL SECURITY;
