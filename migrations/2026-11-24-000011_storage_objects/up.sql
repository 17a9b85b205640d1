CREATE TABLE storage_objects (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    key text NOT NULL,
    media_type text NOT NULL,
    bytes bigint NOT NULL CHECK (bytes > 0),
    width integer,
    height integer,
    sha256 text NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (org_id, sha256)
);
