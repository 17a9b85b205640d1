ALTER TABLE vehicle_vehicles
    -- Vehicle identification number (field E of the certificate).
    ADD COLUMN vin text,
    -- Grams of CO2 per kilometre (field V.7).
    ADD COLUMN co2 integer CHECK (co2 BETWEEN 0 AND 1000);

ALTER TABLE vehicle_statements DROP CONSTRAINT vehicle_statements_source_check,
    ADD CONSTRAINT vehicle_statements_source_check
        CHECK (source IN ('SELLER', 'PLATE', 'REGISTRY', 'CERTIFICATE', 'HISTOVEC'));

-- The last registration certificate read of a car. The photo itself is deleted as soon as it is read.
CREATE TABLE vehicle_certificates (
    vehicle_id uuid PRIMARY KEY REFERENCES vehicle_vehicles ON DELETE CASCADE,
    org_id uuid NOT NULL,
    -- None once it is read.
    object_id uuid,
    state text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    -- What was read, field by field.
    fields jsonb NOT NULL DEFAULT '[]',
    read_by text,
    asked_at timestamptz NOT NULL,
    ended_at timestamptz
);

-- What a holder's HistoVec report says of a car, kept with the holder's consent for no longer than the sale needs.
CREATE TABLE vehicle_histovec (
    vehicle_id uuid PRIMARY KEY REFERENCES vehicle_vehicles ON DELETE CASCADE,
    org_id uuid NOT NULL,
    -- Who said that the holder agrees, and when.
    consent_by uuid NOT NULL,
    consent_at timestamptz NOT NULL,
    -- The address of the report, sealed: who has it may read the report.
    sealed_url text,
    report_on date NOT NULL,
    holders integer CHECK (holders BETWEEN 1 AND 99),
    -- Whether something forbids the sale: theft, pledge, opposition.
    sale_forbidden boolean NOT NULL,
    -- Odometer readings: day and kilometres.
    mileages jsonb NOT NULL DEFAULT '[]'
);
