-- A picture of the plate alone, for the seller to check; deleted 30 days after it was read or corrected.
ALTER TABLE plates_readings ADD COLUMN crop_object uuid REFERENCES storage_objects (id);
ALTER TABLE plates_readings ADD COLUMN corrected_at timestamptz;

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
CREATE INDEX plates_readings_crop ON plates_readings (crop_object) WHERE crop_object IS NOT NULL;
