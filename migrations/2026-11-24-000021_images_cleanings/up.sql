CREATE TABLE images_cleanings (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    photo_id uuid NOT NULL UNIQUE REFERENCES storage_objects (id),
    state text NOT NULL CHECK (state IN ('waiting', 'pending', 'done', 'failed')),
    cleaned_object uuid REFERENCES storage_objects (id),
    masked_object uuid REFERENCES storage_objects (id),
    car_found boolean,
    coverage real,
    confidence real,
    plates_masked integer,
    manifest jsonb,
    error text,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    -- No rendition without a masking decision.
    CHECK (plates_masked IS NOT NULL OR (cleaned_object IS NULL AND masked_object IS NULL))
);
CREATE INDEX images_cleanings_org ON images_cleanings (org_id, id);
