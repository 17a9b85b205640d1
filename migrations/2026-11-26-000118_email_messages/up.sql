-- What was written to whom. The text goes once it was handed over: it may hold a link that opens an account.
CREATE TABLE email_messages (
    id uuid PRIMARY KEY,
    org_id uuid,
    recipient text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    html text,
    plain text,
    state text NOT NULL CHECK (state IN ('queued', 'sent', 'failed', 'kept')),
    -- Identifier at the provider.
    provider_id text,
    error text,
    created_at timestamptz NOT NULL,
    sent_at timestamptz
);
CREATE INDEX email_messages_created ON email_messages (created_at);
