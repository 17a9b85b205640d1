-- Who sells, as papers say it: legal form, capital, VAT, address, bank.
CREATE TABLE documents_sellers (
    org_id uuid PRIMARY KEY,
    seller jsonb NOT NULL,
    terms jsonb NOT NULL,
    -- How cars are taxed where a line says nothing.
    vat_scheme text NOT NULL CHECK (vat_scheme IN ('taxed', 'margin', 'franchise')),
    updated_at timestamptz NOT NULL
);

-- The counter of a series of numbers, held by whoever issues until the paper is committed: a number is used or free again.
CREATE TABLE documents_series (
    org_id uuid NOT NULL,
    series text NOT NULL CHECK (series IN ('quote', 'invoice', 'credit_note')),
    year integer NOT NULL,
    last integer NOT NULL CHECK (last >= 0),
    -- Day of the last number: no later number has an earlier day.
    last_on date NOT NULL,
    PRIMARY KEY (org_id, series)
);

CREATE TABLE documents_papers (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('quote', 'invoice', 'credit_note')),
    state text NOT NULL CHECK (state IN ('draft', 'issued')),
    number text,
    -- What the paper says; once issued, to the letter.
    sale jsonb NOT NULL,
    vehicle_id uuid REFERENCES vehicle_vehicles (id) ON DELETE SET NULL,
    listing_id uuid REFERENCES listing_ads (id) ON DELETE SET NULL,
    contact_id uuid REFERENCES crm_contacts (id) ON DELETE SET NULL,
    -- The invoice that a credit note takes back.
    credits_id uuid REFERENCES documents_papers (id),
    -- The quote that an invoice follows.
    quote_id uuid REFERENCES documents_papers (id),
    net_cents bigint NOT NULL,
    vat_cents bigint NOT NULL,
    gross_cents bigint NOT NULL,
    -- VAT contained in the price of cars under the margin scheme: for the accounts, on no paper.
    margin_vat_cents bigint NOT NULL,
    issued_on date,
    issued_at timestamptz,
    pdf_sha256 text,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (org_id, number),
    CHECK ((kind = 'credit_note') = (credits_id IS NOT NULL)),
    CHECK (CASE state WHEN 'draft' THEN num_nonnulls(number, issued_on, issued_at, pdf_sha256) = 0
        ELSE num_nulls(number, issued_on, issued_at, pdf_sha256) = 0 END)
);
CREATE INDEX documents_papers_org ON documents_papers (org_id, id DESC);
CREATE INDEX documents_papers_issued ON documents_papers (org_id, issued_on) WHERE state = 'issued';
CREATE INDEX documents_papers_vehicle ON documents_papers (vehicle_id);
CREATE INDEX documents_papers_listing ON documents_papers (listing_id);
CREATE INDEX documents_papers_contact ON documents_papers (contact_id);
CREATE INDEX documents_papers_credits ON documents_papers (credits_id);
CREATE INDEX documents_papers_quote ON documents_papers (quote_id);

-- The file as it was issued, in the transaction that gave the number: no paper is without, and no later layout changes it.
CREATE TABLE documents_originals (
    paper_id uuid PRIMARY KEY REFERENCES documents_papers (id),
    org_id uuid NOT NULL,
    pdf bytea NOT NULL
);
CREATE INDEX documents_originals_org ON documents_originals (org_id);

-- The police register of used goods, one of each site: entries are added and stay.
CREATE TABLE documents_register (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    -- No reference: a register is kept longer than its site.
    site_id uuid NOT NULL,
    number bigint NOT NULL CHECK (number > 0),
    entry jsonb NOT NULL,
    -- The layout it was sealed with, the seal before and its own.
    version smallint NOT NULL,
    previous text NOT NULL,
    hash text NOT NULL,
    recorded_at timestamptz NOT NULL,
    -- The car of an arrival or a departure, to be found by; the entry itself names it. No reference: see `site_id`.
    vehicle_id uuid,
    recorded_by uuid NOT NULL,
    UNIQUE (org_id, site_id, number)
);
CREATE INDEX documents_register_site ON documents_register (org_id, site_id, recorded_at);
CREATE INDEX documents_register_vehicle ON documents_register (vehicle_id);

-- Where each register ends: what is cut off its end is missed.
CREATE TABLE documents_register_heads (
    site_id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    -- Of the site, as it was when the last entry was written.
    site_name text NOT NULL,
    site_address text NOT NULL,
    count bigint NOT NULL CHECK (count >= 0),
    last_hash text NOT NULL,
    last_at timestamptz NOT NULL
);
CREATE INDEX documents_register_heads_org ON documents_register_heads (org_id);

-- Whether an organization is being erased: what the law wants kept was copied before, and the rows go.
CREATE FUNCTION documents_erasing(org uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(current_setting('keroxio.erasing', true) = org::text, false)
$$;

-- What is issued stays; only what it is about may be forgotten.
CREATE FUNCTION documents_keep_paper() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE kept documents_papers;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.state = 'draft' OR documents_erasing(OLD.org_id) THEN
            RETURN OLD;
        END IF;
    ELSIF OLD.state = 'draft' THEN
        RETURN NEW;
    ELSE
        kept := OLD;
        kept.vehicle_id := CASE WHEN NEW.vehicle_id IS NOT NULL THEN OLD.vehicle_id END;
        kept.listing_id := CASE WHEN NEW.listing_id IS NOT NULL THEN OLD.listing_id END;
        kept.contact_id := CASE WHEN NEW.contact_id IS NOT NULL THEN OLD.contact_id END;
        IF NEW IS NOT DISTINCT FROM kept THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'an issued paper stays as it is' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER documents_papers_stay BEFORE UPDATE OR DELETE ON documents_papers
    FOR EACH ROW EXECUTE FUNCTION documents_keep_paper();

CREATE FUNCTION documents_keep_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND documents_erasing(OLD.org_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'rows of % are only added', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER documents_originals_stay BEFORE UPDATE OR DELETE ON documents_originals
    FOR EACH ROW EXECUTE FUNCTION documents_keep_row();
CREATE TRIGGER documents_register_stays BEFORE UPDATE OR DELETE ON documents_register
    FOR EACH ROW EXECUTE FUNCTION documents_keep_row();

-- A register grows, by one entry at a time.
CREATE FUNCTION documents_keep_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF documents_erasing(OLD.org_id) THEN
            RETURN OLD;
        END IF;
    ELSIF (NEW.site_id, NEW.org_id, NEW.count) = (OLD.site_id, OLD.org_id, OLD.count + 1) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a register only grows' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER documents_register_heads_grow BEFORE UPDATE OR DELETE ON documents_register_heads
    FOR EACH ROW EXECUTE FUNCTION documents_keep_head();

CREATE FUNCTION documents_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are only added', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

DO $$
DECLARE owned text;
BEGIN
    FOREACH owned IN ARRAY ARRAY['documents_sellers', 'documents_series', 'documents_papers', 'documents_originals',
        'documents_register', 'documents_register_heads']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', owned);
        EXECUTE format('CREATE POLICY tenant ON %I TO keroxio_tenant USING (org_id = (SELECT core_tenant()))', owned);
    END LOOP;
    FOREACH owned IN ARRAY ARRAY['documents_papers', 'documents_originals', 'documents_register',
        'documents_register_heads']
    LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I EXECUTE FUNCTION documents_refuse_truncate()',
            owned || '_whole', owned);
    END LOOP;
END $$;
