-- Words that are nearly right are found by their trigrams.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

ALTER TABLE vehicle_vehicles
    -- The seller's own number of the car.
    ADD COLUMN stock_number text,
    ADD COLUMN stock_state text NOT NULL DEFAULT 'preparing' CHECK (stock_state IN
        ('arriving', 'preparing', 'ready', 'published', 'reserved', 'sold', 'delivered', 'withdrawn')),
    ADD COLUMN entered_on date,
    -- Day on which it was sold or withdrawn.
    ADD COLUMN left_on date,
    ADD COLUMN asking_price_eur integer CHECK (asking_price_eur BETWEEN 1 AND 10000000),
    -- The import that created it, while nothing else has touched it.
    ADD COLUMN import_id uuid,
    -- What is searched, in small letters without accents (as core::table::unaccented).
    ADD COLUMN search text NOT NULL GENERATED ALWAYS AS (translate(lower(
        coalesce(stock_number, '') || ' ' || coalesce(plate, '') || ' ' || coalesce(make, '') || ' '
        || coalesce(model, '') || ' ' || coalesce(version, '') || ' ' || coalesce(colour, '') || ' '
        || coalesce(first_registration_year::text, '')),
        'àâäáãçéèêëîïíñôöóõùûüúÿÀÂÄÁÃÇÉÈÊËÎÏÍÑÔÖÓÕÙÛÜÚŸ', 'aaaaaceeeeiiinoooouuuuyaaaaaceeeeiiinoooouuuuy')) STORED;
CREATE UNIQUE INDEX vehicle_vehicles_stock_number ON vehicle_vehicles (org_id, stock_number);
CREATE INDEX vehicle_vehicles_plate ON vehicle_vehicles (org_id, plate);
CREATE INDEX vehicle_vehicles_import ON vehicle_vehicles (import_id) WHERE import_id IS NOT NULL;

CREATE TABLE vehicle_moves (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    vehicle_id uuid NOT NULL REFERENCES vehicle_vehicles (id) ON DELETE CASCADE,
    from_state text NOT NULL,
    to_state text NOT NULL,
    moved_at timestamptz NOT NULL,
    -- None where something that happened moved it, such as a sale.
    moved_by uuid
);
CREATE INDEX vehicle_moves_of_vehicle ON vehicle_moves (vehicle_id, id DESC);

CREATE TABLE vehicle_imports (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    created integer NOT NULL,
    updated integer NOT NULL,
    imported_at timestamptz NOT NULL,
    imported_by uuid NOT NULL,
    undone_at timestamptz
);
CREATE INDEX vehicle_imports_newest ON vehicle_imports (org_id, id DESC);
CREATE INDEX vehicle_statements_of_change ON vehicle_statements (change_id) WHERE retracted_at IS NULL;
