-- The credential with which an organization asks the vehicle register, sealed.
CREATE TABLE vehicle_registry_access (
    org_id uuid PRIMARY KEY,
    sealed text NOT NULL,
    since timestamptz NOT NULL,
    -- When the register last refused it.
    refused_at timestamptz
);

-- Every question that was answered, with what it cost; the latest answers the next one about the same number.
CREATE TABLE vehicle_registry_questions (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    plate text NOT NULL,
    -- None where the register does not know the number.
    car jsonb,
    cost_cents integer NOT NULL CHECK (cost_cents >= 0),
    asked_at timestamptz NOT NULL
);
CREATE INDEX vehicle_registry_questions_latest ON vehicle_registry_questions (org_id, plate, asked_at DESC);
CREATE INDEX vehicle_registry_questions_month ON vehicle_registry_questions (org_id, asked_at);
