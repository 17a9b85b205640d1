ALTER TABLE auth_users DROP COLUMN staff;
