DROP TABLE auth_sites;
DROP TABLE auth_invitations;
DROP TABLE auth_recovery_codes;
DROP TABLE auth_links;
ALTER TABLE auth_refresh_tokens
    ADD COLUMN user_id uuid REFERENCES auth_users (id) ON DELETE CASCADE,
    ADD COLUMN revoked_at timestamptz;
UPDATE auth_refresh_tokens t SET user_id = s.user_id, revoked_at = s.ended_at FROM auth_sessions s WHERE s.id = t.family_id;
ALTER TABLE auth_refresh_tokens
    ALTER COLUMN user_id SET NOT NULL,
    DROP CONSTRAINT auth_refresh_tokens_family_id_fkey;
CREATE INDEX auth_refresh_tokens_user ON auth_refresh_tokens (user_id);
DROP TABLE auth_sessions;
DROP TABLE auth_memberships;
DELETE FROM auth_users WHERE email IS NULL;
ALTER TABLE auth_users
    DROP CONSTRAINT auth_users_check,
    DROP COLUMN totp_step,
    DROP COLUMN totp_enabled_at,
    DROP COLUMN totp_secret,
    DROP COLUMN email_verified_at,
    DROP COLUMN locale,
    ALTER COLUMN password_hash SET NOT NULL,
    ALTER COLUMN email SET NOT NULL;
