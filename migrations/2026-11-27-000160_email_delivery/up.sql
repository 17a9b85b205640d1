-- What became of a letter after it was handed over, and whoever gets none any more.
ALTER TABLE email_messages DROP CONSTRAINT email_messages_state_check;
ALTER TABLE email_messages ADD CONSTRAINT email_messages_state_check CHECK (state IN
    ('queued', 'sent', 'failed', 'kept', 'suppressed', 'delivered', 'bounced', 'complained'));
-- When the provider says that it was delivered, refused or complained of.
ALTER TABLE email_messages ADD COLUMN outcome_at timestamptz;
-- Where one click ends letters of its kind, while it has not been handed over; none of a letter that nobody may refuse.
ALTER TABLE email_messages ADD COLUMN unsubscribe text;
CREATE INDEX email_messages_provider ON email_messages (provider_id) WHERE provider_id IS NOT NULL;

-- Addresses that letters are not sent to. They are the platform's, known by their hash: the list outlives an account.
CREATE TABLE email_suppressions (
    id uuid PRIMARY KEY,
    address_hash text NOT NULL,
    -- As much of it as staff need to recognize it.
    address_hint text NOT NULL,
    reason text NOT NULL CHECK (reason IN ('bounced', 'complained')),
    detail text,
    happened_at timestamptz NOT NULL,
    -- What is told later of a time before does not count.
    cleared_at timestamptz,
    UNIQUE (address_hash, reason)
);
REVOKE ALL ON email_suppressions FROM keroxio_tenant;

-- What the provider told us, by the identifier under which it tells it again.
CREATE TABLE email_webhook_events (
    id text PRIMARY KEY,
    kind text NOT NULL,
    message_id uuid,
    received_at timestamptz NOT NULL
);
CREATE INDEX email_webhook_events_received ON email_webhook_events (received_at);
REVOKE ALL ON email_webhook_events FROM keroxio_tenant;
