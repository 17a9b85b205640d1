DROP TABLE auth_trail;
DROP FUNCTION auth_trail_stands;
ALTER TABLE auth_organizations DROP COLUMN suspended_for;
ALTER TABLE auth_organizations DROP COLUMN suspended_at;
