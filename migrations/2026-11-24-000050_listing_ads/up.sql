CREATE TABLE listing_ads (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    vehicle_id uuid NOT NULL REFERENCES vehicle_vehicles (id),
    state text NOT NULL CHECK (state IN ('preparing', 'ready', 'incomplete')),
    language text NOT NULL CHECK (language IN ('fr', 'en')),
    title text,
    body text,
    text_edited boolean NOT NULL DEFAULT false,
    price_eur integer CHECK (price_eur > 0),
    seq integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX listing_ads_newest ON listing_ads (org_id, id DESC);
CREATE INDEX listing_ads_vehicle ON listing_ads (vehicle_id);

CREATE TABLE listing_photos (
    listing_id uuid NOT NULL REFERENCES listing_ads (id) ON DELETE CASCADE,
    photo_id uuid NOT NULL REFERENCES storage_objects (id),
    position integer NOT NULL,
    PRIMARY KEY (listing_id, photo_id)
);
CREATE INDEX listing_photos_photo ON listing_photos (photo_id);

-- subject_id is the photo of a photo step and the nil UUID for every other step.
CREATE TABLE listing_steps (
    listing_id uuid NOT NULL REFERENCES listing_ads (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('plate', 'vehicle', 'photo', 'price', 'text', 'publication')),
    subject_id uuid NOT NULL,
    position integer NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'needs_input', 'failed')),
    fingerprint text,
    result_id uuid,
    error_code text,
    message_fr text,
    message_en text,
    missing jsonb NOT NULL DEFAULT '[]',
    started_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (listing_id, kind, subject_id)
);

CREATE TABLE listing_progress (
    listing_id uuid NOT NULL REFERENCES listing_ads (id) ON DELETE CASCADE,
    seq integer NOT NULL,
    kind text NOT NULL,
    photo_id uuid,
    state text NOT NULL,
    percent integer NOT NULL CHECK (percent BETWEEN 0 AND 100),
    error_code text,
    message_fr text,
    message_en text,
    at timestamptz NOT NULL,
    PRIMARY KEY (listing_id, seq)
);
