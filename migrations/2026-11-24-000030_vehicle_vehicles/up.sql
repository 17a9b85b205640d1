CREATE TABLE vehicle_vehicles (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    plate text,
    make text,
    model text,
    version text,
    first_registration_year integer,
    first_registration_month integer CHECK (first_registration_month BETWEEN 1 AND 12),
    mileage_km integer CHECK (mileage_km BETWEEN 0 AND 1500000),
    fuel text,
    gearbox text,
    power_hp integer,
    fiscal_hp integer,
    doors integer,
    seats integer,
    colour text,
    sources jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX vehicle_vehicles_newest ON vehicle_vehicles (org_id, id DESC);
