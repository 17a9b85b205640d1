DROP TABLE auth_refresh_tokens;
DROP TABLE auth_users;
DROP TABLE auth_organizations;
