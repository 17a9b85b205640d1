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
    }
}
