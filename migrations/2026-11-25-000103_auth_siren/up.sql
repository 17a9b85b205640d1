-- The number of a company in France: nine digits with a check digit.
ALTER TABLE auth_organizations ADD COLUMN siren text CHECK (siren ~ '^[0-9]{9}$');
