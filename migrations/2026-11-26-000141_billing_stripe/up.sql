-- Whom Stripe knows an organization as.
CREATE TABLE billing_customers (
    org_id uuid PRIMARY KEY,
    customer_id text NOT NULL UNIQUE,
    -- The last checkout that was begun: a new one closes it.
    open_session text,
    -- Reads of this customer are numbered; an earlier one never overwrites a later one.
    asked bigint NOT NULL,
    applied bigint NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    deleted_at timestamptz
);

CREATE TABLE billing_subscriptions (
    stripe_id text PRIMARY KEY,
    org_id uuid NOT NULL,
    status text NOT NULL,
    -- None for a price that is none of ours.
    plan text,
    price_id text NOT NULL,
    item_id text NOT NULL,
    period_start timestamptz NOT NULL,
    period_end timestamptz NOT NULL,
    trial_end timestamptz,
    cancel_at timestamptz,
    ended_at timestamptz,
    grace_ends_at timestamptz,
    created_at timestamptz NOT NULL
);
CREATE INDEX billing_subscriptions_org ON billing_subscriptions (org_id);

CREATE TABLE billing_invoices (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    stripe_id text NOT NULL UNIQUE,
    subscription_id text,
    number text,
    status text NOT NULL,
    currency text NOT NULL,
    net_cents bigint NOT NULL,
    total_cents bigint NOT NULL,
    paid_cents bigint NOT NULL,
    due_cents bigint NOT NULL,
    attempts integer NOT NULL,
    issued_at timestamptz NOT NULL,
    finalized_at timestamptz,
    paid_at timestamptz,
    next_attempt_at timestamptz,
    hosted_url text,
    pdf_url text
);
CREATE INDEX billing_invoices_org ON billing_invoices (org_id, id DESC);

-- What Stripe told us, as it did. Of customers that are none of ours there is no organization.
CREATE TABLE billing_events (
    id text PRIMARY KEY,
    org_id uuid,
    customer_id text,
    kind text NOT NULL,
    object_id text,
    payload jsonb NOT NULL,
    happened_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL
);
CREATE INDEX billing_events_received ON billing_events (received_at);
CREATE INDEX billing_events_org ON billing_events (org_id);

-- What somebody was told of, once: an invoice, a failed payment, a refund, a dispute.
CREATE TABLE billing_notes (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    kind text NOT NULL,
    stripe_id text NOT NULL,
    amount_cents bigint,
    currency text,
    reason text,
    noted_at timestamptz NOT NULL,
    UNIQUE (kind, stripe_id)
);
CREATE INDEX billing_notes_org ON billing_notes (org_id);

-- What the nightly look found, and mended.
CREATE TABLE billing_differences (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    customer_id text NOT NULL,
    stripe_id text NOT NULL,
    field text NOT NULL,
    ours text,
    theirs text,
    found_at timestamptz NOT NULL
);
CREATE INDEX billing_differences_org ON billing_differences (org_id);

ALTER TABLE billing_customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing_subscriptions ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing_invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing_notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing_differences ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON billing_customers TO keroxio_tenant USING (org_id = (SELECT core_tenant()));
CREATE POLICY tenant ON billing_subscriptions TO keroxio_tenant USING (org_id = (SELECT core_tenant()));
CREATE POLICY tenant ON billing_invoices TO keroxio_tenant USING (org_id = (SELECT core_tenant()));
CREATE POLICY tenant ON billing_events TO keroxio_tenant USING (org_id = (SELECT core_tenant()));
CREATE POLICY tenant ON billing_notes TO keroxio_tenant USING (org_id = (SELECT core_tenant()));
CREATE POLICY tenant ON billing_differences TO keroxio_tenant USING (org_id = (SELECT core_tenant()));
