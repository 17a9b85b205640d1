-- What the cut-out is worth (null until a photo has been judged), why, and how the renditions were to look.
ALTER TABLE images_cleanings
    ADD COLUMN verdict text CHECK (verdict IN ('good', 'usable', 'rejected')),
    ADD COLUMN remarks jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN style jsonb NOT NULL DEFAULT '{}';

-- How the renditions of an organization look.
CREATE TABLE images_presets (
    org_id uuid PRIMARY KEY,
    scene text NOT NULL,
    plate_cover text NOT NULL,
    framed boolean NOT NULL,
    background_photo uuid REFERENCES storage_objects (id),
    logo_photo uuid REFERENCES storage_objects (id),
    updated_at timestamptz NOT NULL
);
CREATE INDEX images_presets_background ON images_presets (background_photo);
CREATE INDEX images_presets_logo ON images_presets (logo_photo);
