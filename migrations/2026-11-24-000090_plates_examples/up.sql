ALTER TABLE plates_readings ADD COLUMN corrected_at timestamptz;
-- Whether anybody has measured what the reader's confidence is worth; otherwise the seller is always asked.
ALTER TABLE plates_readings ADD COLUMN measured boolean NOT NULL DEFAULT false;

-- What sellers said a plate is, kept with their consent to measure and train readers, until a date.
CREATE TABLE plates_examples (
    reading_id uuid PRIMARY KEY REFERENCES plates_readings (id) ON DELETE CASCADE,
    org_id uuid NOT NULL,
    photo_id uuid NOT NULL REFERENCES storage_objects (id) ON DELETE CASCADE,
    read_text text,
    text text NOT NULL,
    manifest jsonb,
    created_at timestamptz NOT NULL,
    keep_until timestamptz NOT NULL
);
CREATE INDEX plates_examples_keep_until ON plates_examples (keep_until);
