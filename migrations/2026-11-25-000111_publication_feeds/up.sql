-- The stock of an organization as a file that multi-publishers fetch.
CREATE TABLE publication_feeds (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    format text NOT NULL CHECK (format IN ('csv', 'xml')),
    -- Who knows it may fetch the feed.
    key text NOT NULL UNIQUE,
    -- The last good file, and the cars in it.
    object_id uuid,
    cars integer NOT NULL DEFAULT 0,
    built_at timestamptz,
    -- Cars of a later one that is held back, because they are suddenly few.
    refused_cars integer,
    refused_at timestamptz,
    created_at timestamptz NOT NULL,
    UNIQUE (org_id, format)
);
