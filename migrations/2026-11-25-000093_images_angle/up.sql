-- From where the car was photographed, how surely, and how many faces were blurred.
ALTER TABLE images_cleanings
    ADD COLUMN angle text CHECK (
        angle IN ('front', 'front_left', 'left', 'rear_left', 'rear', 'rear_right', 'right', 'front_right')
    ),
    ADD COLUMN angle_confidence real,
    ADD COLUMN faces_blurred integer,
    -- How the renditions look that there are: the style is how they shall look.
    ADD COLUMN drawn_style jsonb;
UPDATE images_cleanings SET drawn_style = style WHERE masked_object IS NOT NULL AND state = 'done';

-- Smaller and lighter files of the rendition that is shown.
CREATE TABLE images_variants (
    object_id uuid NOT NULL REFERENCES storage_objects (id),
    cleaning_id uuid NOT NULL REFERENCES images_cleanings (id) ON DELETE CASCADE,
    source_id uuid NOT NULL REFERENCES storage_objects (id),
    media_type text NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    PRIMARY KEY (cleaning_id, object_id)
);
CREATE INDEX images_variants_object ON images_variants (object_id);
CREATE INDEX images_variants_source ON images_variants (source_id);
