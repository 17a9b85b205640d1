-- What was said of each car, by whom and when. The row of vehicle_vehicles holds what follows from it.
CREATE TABLE vehicle_statements (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    vehicle_id uuid NOT NULL REFERENCES vehicle_vehicles (id) ON DELETE CASCADE,
    -- Statements made at once; the nil id for what a car began with.
    change_id uuid NOT NULL,
    field text NOT NULL,
    -- JSON null where the seller erased the fact.
    value jsonb NOT NULL,
    source text NOT NULL CHECK (source IN ('SELLER', 'PLATE', 'REGISTRY')),
    confidence double precision CHECK (confidence BETWEEN 0 AND 1),
    stated_at timestamptz NOT NULL,
    stated_by uuid,
    -- Taken back by an undo.
    retracted_at timestamptz
);
CREATE INDEX vehicle_statements_of_vehicle ON vehicle_statements (vehicle_id, id DESC);
