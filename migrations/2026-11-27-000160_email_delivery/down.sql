DROP TABLE email_webhook_events;
DROP TABLE email_suppressions;
DROP INDEX email_messages_provider;
ALTER TABLE email_messages DROP COLUMN unsubscribe;
ALTER TABLE email_messages DROP COLUMN outcome_at;
UPDATE email_messages SET state = 'failed' WHERE state IN ('suppressed', 'bounced', 'complained');
UPDATE email_messages SET state = 'sent' WHERE state = 'delivered';
ALTER TABLE email_messages DROP CONSTRAINT email_messages_state_check;
ALTER TABLE email_messages ADD CONSTRAINT email_messages_state_check CHECK (state IN ('queued', 'sent', 'failed', 'kept'));
