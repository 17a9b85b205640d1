-- Where organizations want to be told of what happens.
CREATE TABLE webhook_endpoints (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    url text NOT NULL,
    description text,
    events text[] NOT NULL,
    -- A GraphQL query with $id, whose answer is sent.
    selection text,
    -- Sealed; the old one signs too until its time.
    secret text NOT NULL,
    old_secret text,
    old_until timestamptz,
    -- Failed attempts in a row.
    failures integer NOT NULL,
    stopped_at timestamptz,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX webhook_endpoints_org ON webhook_endpoints (org_id);

-- What happened, where somebody had webhooks then; sent again on demand.
CREATE TABLE webhook_events (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    name text NOT NULL,
    subject_id uuid NOT NULL,
    facts jsonb NOT NULL,
    occurred_at timestamptz NOT NULL
);
CREATE INDEX webhook_events_org ON webhook_events (org_id, occurred_at);
CREATE INDEX webhook_events_occurred ON webhook_events (occurred_at);

CREATE TABLE webhook_deliveries (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    endpoint_id uuid NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
    event_id uuid NOT NULL REFERENCES webhook_events (id) ON DELETE CASCADE,
    attempt integer NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    status integer,
    error text,
    created_at timestamptz NOT NULL,
    tried_at timestamptz,
    next_at timestamptz
);
CREATE INDEX webhook_deliveries_endpoint ON webhook_deliveries (endpoint_id, id DESC);
CREATE INDEX webhook_deliveries_event ON webhook_deliveries (event_id);

ALTER TABLE webhook_endpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_deliveries ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON webhook_endpoints TO keroxio_tenant USING (org_id = (SELECT core_tenant()));
CREATE POLICY tenant ON webhook_events TO keroxio_tenant USING (org_id = (SELECT core_tenant()));
CREATE POLICY tenant ON webhook_deliveries TO keroxio_tenant USING (org_id = (SELECT core_tenant()));
