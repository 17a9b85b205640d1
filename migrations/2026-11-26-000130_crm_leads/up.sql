-- People who ask about cars. Their addresses and numbers are in one normal form, by which they are found again.
CREATE TABLE crm_contacts (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    name text,
    -- Lower case; the first is where to write to.
    emails text[] NOT NULL,
    -- E.164.
    phones text[] NOT NULL,
    postal_code text,
    language text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- The last contact that came from the person: what is kept of them is kept three years from then.
    last_contact_at timestamptz NOT NULL
);
CREATE INDEX crm_contacts_org ON crm_contacts (org_id, id DESC);
CREATE INDEX crm_contacts_emails ON crm_contacts USING gin (emails);
CREATE INDEX crm_contacts_phones ON crm_contacts USING gin (phones);
CREATE INDEX crm_contacts_last ON crm_contacts (last_contact_at);

-- What they agreed to, with the version of the text they read.
CREATE TABLE crm_consents (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    contact_id uuid NOT NULL REFERENCES crm_contacts (id) ON DELETE CASCADE,
    purpose text NOT NULL,
    version text NOT NULL,
    source text NOT NULL,
    given_at timestamptz NOT NULL,
    withdrawn_at timestamptz
);
CREATE INDEX crm_consents_contact ON crm_consents (contact_id);

-- The way of a lead through the pipeline; organizations without a row have the usual one.
CREATE TABLE crm_stages (
    org_id uuid NOT NULL,
    key text NOT NULL,
    position integer NOT NULL,
    label_fr text NOT NULL,
    label_en text NOT NULL,
    -- Percent of these that are won.
    probability integer NOT NULL CHECK (probability BETWEEN 0 AND 100),
    PRIMARY KEY (org_id, key)
);

CREATE TABLE crm_leads (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    -- None where a message could not be read.
    contact_id uuid REFERENCES crm_contacts (id) ON DELETE CASCADE,
    listing_id uuid REFERENCES listing_ads (id) ON DELETE SET NULL,
    vehicle_id uuid REFERENCES vehicle_vehicles (id) ON DELETE SET NULL,
    -- What the message says of the car, where it is none we know.
    car_text text,
    source text NOT NULL,
    message text,
    stage text NOT NULL,
    assigned_to uuid,
    value_eur integer,
    -- Messages that came from the person.
    touches integer NOT NULL,
    received_at timestamptz NOT NULL,
    last_touch_at timestamptz NOT NULL,
    first_response_at timestamptz,
    -- Won or lost.
    closed_at timestamptz,
    lost_reason text,
    created_by uuid,
    updated_at timestamptz NOT NULL
);
CREATE INDEX crm_leads_org ON crm_leads (org_id, id DESC);
CREATE INDEX crm_leads_stage ON crm_leads (org_id, stage, id DESC);
CREATE INDEX crm_leads_received ON crm_leads (org_id, received_at);
CREATE INDEX crm_leads_contact ON crm_leads (contact_id);
CREATE INDEX crm_leads_listing ON crm_leads (listing_id);
CREATE INDEX crm_leads_vehicle ON crm_leads (vehicle_id);

CREATE TABLE crm_interactions (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    lead_id uuid NOT NULL REFERENCES crm_leads (id) ON DELETE CASCADE,
    kind text NOT NULL,
    -- None for a note.
    direction text CHECK (direction IN ('in', 'out')),
    body text,
    -- What is to be known of how it came, for instance that files were left out.
    remark text,
    happened_at timestamptz NOT NULL,
    by_user uuid,
    -- Hash of the message's own identifier: what is delivered twice is taken once.
    external_id text
);
CREATE INDEX crm_interactions_lead ON crm_interactions (lead_id, happened_at);
CREATE UNIQUE INDEX crm_interactions_external ON crm_interactions (org_id, external_id);

-- Steps through the pipeline; one that was taken back stays, marked.
CREATE TABLE crm_moves (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    lead_id uuid NOT NULL REFERENCES crm_leads (id) ON DELETE CASCADE,
    from_stage text NOT NULL,
    to_stage text NOT NULL,
    reason text,
    moved_by uuid,
    moved_at timestamptz NOT NULL,
    undone_at timestamptz
);
CREATE INDEX crm_moves_lead ON crm_moves (lead_id, id DESC);

CREATE TABLE crm_tasks (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    lead_id uuid NOT NULL REFERENCES crm_leads (id) ON DELETE CASCADE,
    title text NOT NULL,
    due_at timestamptz NOT NULL,
    assigned_to uuid,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    done_at timestamptz,
    reminded_at timestamptz
);
CREATE INDEX crm_tasks_org ON crm_tasks (org_id, id DESC);
CREATE INDEX crm_tasks_lead ON crm_tasks (lead_id);
CREATE INDEX crm_tasks_due ON crm_tasks (due_at) WHERE done_at IS NULL AND reminded_at IS NULL;

-- Addresses that leads are mailed to: lead+<token>@domain. A replaced one takes mail for a while.
CREATE TABLE crm_aliases (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    -- None: all of the organization's.
    listing_id uuid REFERENCES listing_ads (id) ON DELETE CASCADE,
    token text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    replaced_at timestamptz
);
CREATE UNIQUE INDEX crm_aliases_current ON crm_aliases (org_id, coalesce(listing_id, '00000000-0000-0000-0000-000000000000'))
    WHERE replaced_at IS NULL;
CREATE INDEX crm_aliases_listing ON crm_aliases (listing_id);

-- Mails as they came, kept thirty days.
CREATE TABLE crm_mails (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    lead_id uuid NOT NULL REFERENCES crm_leads (id) ON DELETE CASCADE,
    object_id uuid NOT NULL,
    received_at timestamptz NOT NULL
);
CREATE INDEX crm_mails_lead ON crm_mails (lead_id);
CREATE INDEX crm_mails_received ON crm_mails (received_at);

DO $$
DECLARE owned text;
BEGIN
    FOREACH owned IN ARRAY ARRAY['crm_contacts', 'crm_consents', 'crm_stages', 'crm_leads', 'crm_interactions',
        'crm_moves', 'crm_tasks', 'crm_aliases', 'crm_mails']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', owned);
        EXECUTE format('CREATE POLICY tenant ON %I TO keroxio_tenant USING (org_id = (SELECT core_tenant()))', owned);
    END LOOP;
END $$;

-- Where the answer to a letter goes, where that is not the sender.
ALTER TABLE email_messages ADD COLUMN reply_to text;
