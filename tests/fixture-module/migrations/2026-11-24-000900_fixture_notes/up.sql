CREATE TABLE fixture_notes (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    body text NOT NULL,
    signature text
);
