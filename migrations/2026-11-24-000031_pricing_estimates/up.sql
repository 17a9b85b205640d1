CREATE TABLE pricing_estimates (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    vehicle_id uuid NOT NULL REFERENCES vehicle_vehicles (id),
    facts jsonb NOT NULL,
    low integer,
    mid integer,
    high integer,
    confidence double precision,
    sample_size integer,
    data_until date,
    contributions jsonb NOT NULL,
    refused jsonb,
    manifest jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    CHECK (refused IS NOT NULL OR (low IS NOT NULL AND mid IS NOT NULL AND high IS NOT NULL AND 0 < low AND low <= mid AND mid <= high))
);
CREATE INDEX pricing_estimates_vehicle ON pricing_estimates (vehicle_id, id DESC);
CREATE INDEX pricing_estimates_org ON pricing_estimates (org_id, id);
