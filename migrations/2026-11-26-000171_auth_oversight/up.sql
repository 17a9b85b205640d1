-- Staff may put an organization on hold: it still sees what is its own, and changes nothing.
ALTER TABLE auth_organizations ADD COLUMN suspended_at timestamptz;
ALTER TABLE auth_organizations ADD COLUMN suspended_for text;

-- Who did what. Rows are added, never changed, and deleted when their time is over.
CREATE TABLE auth_trail (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL REFERENCES auth_organizations (id) ON DELETE CASCADE,
    -- In whose name; for an API key whoever made it.
    user_id uuid NOT NULL,
    -- Whoever of staff acted in that name.
    staff_id uuid,
    api_key_id uuid,
    -- A root field of the schema, or `logIn`.
    action text NOT NULL,
    -- `OK` or the code of the error.
    outcome text NOT NULL,
    -- The first identifier among the arguments.
    subject_id uuid,
    -- The network of the client, not its whole address.
    network text,
    reason text,
    at timestamptz NOT NULL
);
CREATE INDEX auth_trail_org ON auth_trail (org_id, id DESC);
CREATE INDEX auth_trail_user ON auth_trail (user_id, id DESC);
CREATE INDEX auth_trail_staff ON auth_trail (staff_id, id DESC) WHERE staff_id IS NOT NULL;
CREATE INDEX auth_trail_at ON auth_trail (at);
ALTER TABLE auth_trail ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON auth_trail TO keroxio_tenant USING (org_id = (SELECT core_tenant()));

CREATE FUNCTION auth_trail_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was done stays written';
END $$;
CREATE TRIGGER auth_trail_stands BEFORE UPDATE ON auth_trail FOR EACH ROW EXECUTE FUNCTION auth_trail_stands();
REVOKE UPDATE, DELETE ON auth_trail FROM keroxio_tenant;
