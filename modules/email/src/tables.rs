diesel::table! {
    email_messages (id) {
        id -> Uuid,
        org_id -> Nullable<Uuid>,
        recipient -> Text,
        kind -> Text,
        subject -> Text,
        html -> Nullable<Text>,
        plain -> Nullable<Text>,
        state -> Text,
        provider_id -> Nullable<Text>,
        error -> Nullable<Text>,
        created_at -> Timestamptz,
        sent_at -> Nullable<Timestamptz>,
        reply_to -> Nullable<Text>,
        outcome_at -> Nullable<Timestamptz>,
        unsubscribe -> Nullable<Text>,
    }
}

diesel::table! {
    email_suppressions (id) {
        id -> Uuid,
        address_hash -> Text,
        address_hint -> Text,
        reason -> Text,
        detail -> Nullable<Text>,
        happened_at -> Timestamptz,
        cleared_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    email_webhook_events (id) {
        id -> Text,
        kind -> Text,
        message_id -> Nullable<Uuid>,
        received_at -> Timestamptz,
    }
}
