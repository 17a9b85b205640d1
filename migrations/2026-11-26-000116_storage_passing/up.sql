-- Files that are looked at once and deleted, noted before they are written: those that nobody came for are found here.
CREATE TABLE storage_passing (
    key text PRIMARY KEY,
    stored_at timestamptz NOT NULL
);
CREATE INDEX storage_passing_oldest ON storage_passing (stored_at);
