CREATE TABLE privacy_exports (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    asked_by uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'ready', 'failed')),
    object_id uuid,
    rows bigint,
    files bigint,
    asked_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX privacy_exports_org ON privacy_exports (org_id);
CREATE INDEX privacy_exports_asked ON privacy_exports (asked_at);

-- What is left of an erased organization: how much was deleted, what a law wants kept. No tenant reaches it.
CREATE TABLE privacy_erasures (
    id uuid PRIMARY KEY,
    organization uuid NOT NULL,
    asked_at timestamptz NOT NULL,
    erased_at timestamptz,
    deleted jsonb NOT NULL,
    kept jsonb NOT NULL
);
REVOKE ALL ON privacy_erasures FROM keroxio_tenant;

CREATE TABLE privacy_consents (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    user_id uuid NOT NULL,
    purpose text NOT NULL,
    version text NOT NULL,
    given_at timestamptz NOT NULL,
    withdrawn_at timestamptz
);
CREATE INDEX privacy_consents_user ON privacy_consents (user_id);

ALTER TABLE privacy_exports ENABLE ROW LEVEL SECURITY;
ALTER TABLE privacy_consents ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON privacy_exports TO keroxio_tenant USING (org_id = (SELECT core_tenant()));
CREATE POLICY tenant ON privacy_consents TO keroxio_tenant USING (org_id = (SELECT core_tenant()));
