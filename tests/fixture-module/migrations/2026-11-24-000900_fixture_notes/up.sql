CREATE TABLE fixture_notes (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    body text NOT NULL,
    signature text
);
ALTER TABLE fixture_notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON fixture_notes TO keroxio_tenant USING (org_id = (SELECT core_tenant()));
