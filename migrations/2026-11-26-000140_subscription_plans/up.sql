-- What an organization's plan is, and how much of it was used.
CREATE TABLE subscription_accounts (
    org_id uuid PRIMARY KEY,
    trial_ends_at timestamptz NOT NULL,
    -- What is paid for; none while nothing is.
    plan text CHECK (plan IN ('FREE', 'PRO', 'ENTERPRISE')),
    period_start timestamptz,
    period_end timestamptz,
    -- Until when the plan stays although a payment failed.
    grace_ends_at timestamptz,
    -- When it ends, once it was cancelled.
    ends_at timestamptz,
    created_at timestamptz NOT NULL
);

-- One row for each distinct unit: whoever tries again is not counted again.
CREATE TABLE subscription_meter (
    org_id uuid NOT NULL,
    unit text NOT NULL,
    key text NOT NULL,
    counted_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, unit, key)
);
CREATE INDEX subscription_meter_counted ON subscription_meter USING brin (counted_at);

CREATE TABLE subscription_usage (
    org_id uuid NOT NULL,
    unit text NOT NULL,
    month date NOT NULL,
    used integer NOT NULL,
    -- The most at the same time.
    peak integer NOT NULL,
    -- When somebody was told that the limit is near.
    warned_at timestamptz,
    PRIMARY KEY (org_id, unit, month)
);

-- Whoever is here already has a trial from today on.
INSERT INTO subscription_accounts (org_id, trial_ends_at, created_at)
SELECT id, now() + interval '30 days', now() FROM auth_organizations;

ALTER TABLE subscription_accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE subscription_meter ENABLE ROW LEVEL SECURITY;
ALTER TABLE subscription_usage ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON subscription_accounts TO keroxio_tenant USING (org_id = (SELECT core_tenant()));
CREATE POLICY tenant ON subscription_meter TO keroxio_tenant USING (org_id = (SELECT core_tenant()));
CREATE POLICY tenant ON subscription_usage TO keroxio_tenant USING (org_id = (SELECT core_tenant()));
