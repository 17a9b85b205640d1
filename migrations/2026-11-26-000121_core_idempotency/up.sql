-- What a request that must not be done twice was answered. The answer is sealed: it may hold a key that is shown once.
CREATE TABLE core_idempotency (
    org_id uuid NOT NULL,
    -- The session or API key that asked.
    caller uuid NOT NULL,
    key text NOT NULL,
    -- Of all that was asked, files included.
    fingerprint text NOT NULL,
    begun_at timestamptz NOT NULL,
    -- None while it is under way, or when its process died.
    answer text,
    PRIMARY KEY (org_id, caller, key)
);
CREATE INDEX core_idempotency_begun ON core_idempotency (begun_at);
ALTER TABLE core_idempotency ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON core_idempotency TO keroxio_tenant USING (org_id = (SELECT core_tenant()));
