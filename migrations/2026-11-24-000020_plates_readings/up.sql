CREATE TABLE plates_readings (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    photo_id uuid NOT NULL UNIQUE REFERENCES storage_objects (id),
    state text NOT NULL CHECK (state IN ('pending', 'done', 'failed')),
    text text,
    confidence real,
    corrected boolean NOT NULL,
    sightings jsonb NOT NULL,
    manifest jsonb,
    error text,
    created_at timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX plates_readings_org ON plates_readings (org_id, id);
