-- Parts of the program that staff turned off, or on for some only. A part without a row is on for everybody.
CREATE TABLE core_features (
    name text PRIMARY KEY,
    -- Of a hundred organizations, for how many it is on.
    percent integer NOT NULL CHECK (percent BETWEEN 0 AND 100),
    -- For these it is on in any case.
    organizations uuid[] NOT NULL,
    changed_by uuid NOT NULL,
    changed_at timestamptz NOT NULL
);
REVOKE ALL ON core_features FROM keroxio_tenant;
