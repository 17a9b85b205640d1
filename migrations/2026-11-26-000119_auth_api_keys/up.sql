-- Keys of integrators' programs; the key itself is shown once and kept as a hash.
CREATE TABLE auth_api_keys (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL REFERENCES auth_organizations (id) ON DELETE CASCADE,
    name text NOT NULL,
    -- How it begins, to recognize it by.
    prefix text NOT NULL,
    key_hash text NOT NULL UNIQUE,
    scopes text[] NOT NULL,
    -- Points it may spend; the organization's limits where none are set.
    cost_capacity integer CHECK (cost_capacity > 0),
    cost_per_second integer CHECK (cost_per_second > 0),
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX auth_api_keys_org ON auth_api_keys (org_id);
