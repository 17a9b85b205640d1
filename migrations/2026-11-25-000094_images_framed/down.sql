ALTER TABLE images_cleanings DROP COLUMN framed;
CREATE INDEX storage_objects_decided ON storage_objects ((masking ->> 'cleaning_id')) WHERE public_key IS NOT NULL;
