-- The key with which an organization has its photos read by somebody else's service, sealed.
CREATE TABLE plates_access (
    org_id uuid PRIMARY KEY,
    sealed text NOT NULL,
    since timestamptz NOT NULL,
    -- When the service last refused it.
    refused_at timestamptz
);
ALTER TABLE plates_access ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON plates_access TO keroxio_tenant USING (org_id = (SELECT core_tenant()));
