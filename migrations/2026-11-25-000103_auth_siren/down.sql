ALTER TABLE auth_organizations DROP COLUMN siren;
