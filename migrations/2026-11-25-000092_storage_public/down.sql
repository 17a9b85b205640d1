ALTER TABLE storage_objects DROP COLUMN masking, DROP COLUMN public_key;
