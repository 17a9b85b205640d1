CREATE TABLE notification_items (
    id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    kind text NOT NULL,
    title_fr text NOT NULL,
    title_en text NOT NULL,
    subject_id uuid,
    created_at timestamptz NOT NULL,
    read_at timestamptz
);
CREATE INDEX notification_items_newest ON notification_items (org_id, id DESC);
CREATE INDEX notification_items_unread ON notification_items (org_id) WHERE read_at IS NULL;
