-- Somebody who begins without an account has neither address nor password yet.
ALTER TABLE auth_users
    ALTER COLUMN email DROP NOT NULL,
    ALTER COLUMN password_hash DROP NOT NULL,
    ADD COLUMN locale text NOT NULL DEFAULT 'fr' CHECK (locale IN ('fr', 'en')),
    ADD COLUMN email_verified_at timestamptz,
    -- Secret of the second factor, sealed; it counts once enabled.
    ADD COLUMN totp_secret text,
    ADD COLUMN totp_enabled_at timestamptz,
    -- The last time step whose code was used: none is used twice.
    ADD COLUMN totp_step bigint,
    ADD CHECK ((email IS NULL) = (password_hash IS NULL));

-- org_id of a user is the organization they signed in to last.
CREATE TABLE auth_memberships (
    user_id uuid NOT NULL REFERENCES auth_users (id) ON DELETE CASCADE,
    org_id uuid NOT NULL REFERENCES auth_organizations (id) ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('owner', 'manager', 'seller', 'accountant', 'read_only')),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, org_id)
);
CREATE INDEX auth_memberships_org ON auth_memberships (org_id);
INSERT INTO auth_memberships SELECT id, org_id, 'owner', created_at FROM auth_users;

-- What refresh tokens of one family belong to: somebody signed in on a device.
CREATE TABLE auth_sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES auth_users (id) ON DELETE CASCADE,
    org_id uuid NOT NULL REFERENCES auth_organizations (id) ON DELETE CASCADE,
    agent text,
    network text,
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX auth_sessions_user ON auth_sessions (user_id);
CREATE INDEX auth_sessions_expiry ON auth_sessions (expires_at);
INSERT INTO auth_sessions (id, user_id, org_id, created_at, seen_at, expires_at, ended_at)
    SELECT t.family_id, u.id, u.org_id, min(t.created_at), max(t.created_at), max(t.expires_at), max(t.revoked_at)
    FROM auth_refresh_tokens t JOIN auth_users u ON u.id = t.user_id GROUP BY t.family_id, u.id, u.org_id;
ALTER TABLE auth_refresh_tokens
    ADD FOREIGN KEY (family_id) REFERENCES auth_sessions (id) ON DELETE CASCADE,
    DROP COLUMN user_id,
    DROP COLUMN revoked_at;

-- Links in e-mails that may be followed once.
CREATE TABLE auth_links (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES auth_users (id) ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('verify_email', 'reset_password', 'claim_guest')),
    -- The address it was sent to.
    email text NOT NULL,
    token_hash text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX auth_links_user ON auth_links (user_id);
CREATE INDEX auth_links_expiry ON auth_links (expires_at);

CREATE TABLE auth_recovery_codes (
    user_id uuid NOT NULL REFERENCES auth_users (id) ON DELETE CASCADE,
    code_hash text NOT NULL,
    PRIMARY KEY (user_id, code_hash)
);

CREATE TABLE auth_invitations (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL REFERENCES auth_organizations (id) ON DELETE CASCADE,
    email text NOT NULL,
    role text NOT NULL CHECK (role IN ('owner', 'manager', 'seller', 'accountant', 'read_only')),
    token_hash text NOT NULL UNIQUE,
    invited_by uuid REFERENCES auth_users (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE UNIQUE INDEX auth_invitations_open ON auth_invitations (org_id, email) WHERE ended_at IS NULL;

CREATE TABLE auth_sites (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL REFERENCES auth_organizations (id) ON DELETE CASCADE,
    name text NOT NULL,
    street text,
    postal_code text,
    city text,
    created_at timestamptz NOT NULL
);
CREATE INDEX auth_sites_org ON auth_sites (org_id);
