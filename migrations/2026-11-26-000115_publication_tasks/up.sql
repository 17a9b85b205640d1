-- What a seller has to do for a car by a day: papers that run out, the declaration of a sale.
CREATE TABLE publication_tasks (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    listing_id uuid NOT NULL REFERENCES listing_ads (id) ON DELETE CASCADE,
    -- Code in deadlines.json.
    kind text NOT NULL,
    due_on date NOT NULL,
    opened_at timestamptz NOT NULL,
    -- Days before the deadline for which the seller was reminded last.
    reminded_days integer,
    -- Done by somebody, or no longer to be done.
    closed_at timestamptz,
    done_by uuid,
    UNIQUE (listing_id, kind, due_on)
);
CREATE INDEX publication_tasks_open ON publication_tasks (org_id, due_on) WHERE closed_at IS NULL;
CREATE INDEX publication_tasks_closed ON publication_tasks (org_id, closed_at DESC) WHERE closed_at IS NOT NULL;
