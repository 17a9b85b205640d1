CREATE TABLE auth_organizations (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('dealer', 'private_seller')),
    created_at timestamptz NOT NULL
);

CREATE TABLE auth_users (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL REFERENCES auth_organizations (id),
    email text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX auth_users_org ON auth_users (org_id);

CREATE TABLE auth_refresh_tokens (
    id uuid PRIMARY KEY,
    family_id uuid NOT NULL,
    user_id uuid NOT NULL REFERENCES auth_users (id) ON DELETE CASCADE,
    token_hash text NOT NULL UNIQUE,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz NOT NULL
);
CREATE INDEX auth_refresh_tokens_family ON auth_refresh_tokens (family_id);
CREATE INDEX auth_refresh_tokens_user ON auth_refresh_tokens (user_id);
