-- Advertisements and sales that estimates are compared with and moved by.
CREATE TABLE pricing_ads (
    id uuid PRIMARY KEY,
    -- Null: the operator's, for everybody. Otherwise only this organization sees it.
    org_id uuid,
    kind text NOT NULL CHECK (kind IN ('ad', 'sale')),
    source text NOT NULL,
    -- The same car of the same source is one row.
    reference text NOT NULL,
    make text NOT NULL,
    model text NOT NULL,
    facts jsonb NOT NULL,
    age double precision NOT NULL,
    mileage_km integer NOT NULL,
    fuel text,
    power_hp integer,
    price_eur integer NOT NULL CHECK (price_eur > 0),
    seen_on date NOT NULL,
    -- When it was first seen and last seen, where the source tells; both give the days it took.
    first_seen_on date,
    gone_on date,
    -- Logarithm of the price over what the model says for that day.
    residual double precision NOT NULL,
    -- Version of the model the residual is against.
    estimated_by text NOT NULL,
    created_at timestamptz NOT NULL,
    CHECK (kind = 'ad' OR org_id IS NOT NULL),
    UNIQUE NULLS NOT DISTINCT (org_id, source, reference)
);
CREATE INDEX pricing_ads_near ON pricing_ads (make, model, seen_on DESC);
CREATE INDEX pricing_ads_estimated_by ON pricing_ads (estimated_by);

-- How far the operator's ads of a month are from the model: its drift, and the level of the market.
CREATE TABLE pricing_levels (
    month date NOT NULL,
    fuel text NOT NULL,
    ads integer NOT NULL,
    median_residual double precision NOT NULL,
    PRIMARY KEY (month, fuel)
);

ALTER TABLE pricing_estimates ADD COLUMN evidence jsonb NOT NULL DEFAULT '{}';
