UPDATE publication_packs SET state = 'prepared' WHERE state = 'withdrawn';
DROP INDEX publication_packs_online;
ALTER TABLE publication_packs DROP CONSTRAINT publication_packs_life;
ALTER TABLE publication_packs DROP CONSTRAINT publication_packs_state_check;
ALTER TABLE publication_packs ADD CONSTRAINT publication_packs_state_check CHECK (state IN ('prepared', 'published'));
ALTER TABLE publication_packs DROP COLUMN published_at, DROP COLUMN withdrawn_at, DROP COLUMN sold_at, DROP COLUMN reminded_at;
