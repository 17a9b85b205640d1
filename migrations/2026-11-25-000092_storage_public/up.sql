-- A file has a public address only with a decision on what had to be hidden, and each decision makes it public.
ALTER TABLE storage_objects
    ADD COLUMN public_key text UNIQUE,
    ADD COLUMN masking jsonb,
    ADD CONSTRAINT storage_objects_public CHECK ((public_key IS NULL) = (masking IS NULL)),
    ADD CONSTRAINT storage_objects_masking CHECK (
        masking IS NULL OR (masking ? 'cleaning_id' AND masking ? 'plates_hidden' AND masking ? 'faces_blurred')
    );
CREATE INDEX storage_objects_decided ON storage_objects ((masking ->> 'cleaning_id')) WHERE public_key IS NOT NULL;
