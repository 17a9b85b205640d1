-- What each member has read, wants to hear of and when. `notification_items.read_at` is of the time when an organization
-- read as one: what has it is read by everybody.
CREATE TABLE notification_readers (
    org_id uuid NOT NULL,
    user_id uuid NOT NULL,
    -- Everything until then is read.
    read_until timestamptz,
    -- Minutes after midnight on the reader's clock between which no letter is sent; across midnight where the first is later.
    quiet_from smallint CHECK (quiet_from BETWEEN 0 AND 1439),
    quiet_to smallint CHECK (quiet_to BETWEEN 0 AND 1439),
    time_zone text NOT NULL,
    digest text NOT NULL CHECK (digest IN ('off', 'daily', 'weekly')),
    digested_at timestamptz,
    PRIMARY KEY (org_id, user_id),
    FOREIGN KEY (user_id, org_id) REFERENCES auth_memberships (user_id, org_id) ON DELETE CASCADE,
    CHECK (num_nonnulls(quiet_from, quiet_to) IN (0, 2))
);
CREATE INDEX notification_readers_digest ON notification_readers (org_id, user_id) WHERE digest <> 'off';

CREATE TABLE notification_reads (
    notification_id uuid NOT NULL REFERENCES notification_items (id) ON DELETE CASCADE,
    user_id uuid NOT NULL,
    org_id uuid NOT NULL,
    read_at timestamptz NOT NULL,
    PRIMARY KEY (notification_id, user_id),
    FOREIGN KEY (user_id, org_id) REFERENCES auth_memberships (user_id, org_id) ON DELETE CASCADE
);
CREATE INDEX notification_reads_org ON notification_reads (org_id, user_id);

-- Where somebody decided otherwise than the default.
CREATE TABLE notification_preferences (
    org_id uuid NOT NULL,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    channel text NOT NULL CHECK (channel IN ('in_app', 'email')),
    is_on boolean NOT NULL,
    PRIMARY KEY (org_id, user_id, kind, channel),
    FOREIGN KEY (user_id, org_id) REFERENCES auth_memberships (user_id, org_id) ON DELETE CASCADE
);

CREATE INDEX notification_items_old ON notification_items (created_at);
-- Each notice looks whether the same was said of its subject within a day.
CREATE INDEX notification_items_subject ON notification_items (subject_id, created_at) WHERE subject_id IS NOT NULL;

DO $$
DECLARE owned text;
BEGIN
    FOREACH owned IN ARRAY ARRAY['notification_readers', 'notification_reads', 'notification_preferences']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', owned);
        EXECUTE format('CREATE POLICY tenant ON %I TO keroxio_tenant USING (org_id = (SELECT core_tenant()))', owned);
    END LOOP;
END $$;
