ALTER TABLE publication_packs
    ADD COLUMN published_at timestamptz,
    ADD COLUMN withdrawn_at timestamptz,
    -- When the car was sold: the ad has to go from then on.
    ADD COLUMN sold_at timestamptz,
    -- When the seller was last reminded of what is to be done there.
    ADD COLUMN reminded_at timestamptz;
UPDATE publication_packs SET published_at = updated_at WHERE state = 'published';
ALTER TABLE publication_packs DROP CONSTRAINT publication_packs_state_check;
ALTER TABLE publication_packs ADD CONSTRAINT publication_packs_state_check
    CHECK (state IN ('prepared', 'published', 'withdrawn'));
ALTER TABLE publication_packs ADD CONSTRAINT publication_packs_life
    CHECK ((state = 'published') <= (published_at IS NOT NULL) AND (state = 'withdrawn') <= (withdrawn_at IS NOT NULL));
CREATE INDEX publication_packs_online ON publication_packs (id) WHERE state = 'published';
