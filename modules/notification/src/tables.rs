diesel::table! {
    notification_items (id) {
        id -> Uuid,
        org_id -> Uuid,
        kind -> Text,
        title_fr -> Text,
        title_en -> Text,
        subject_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
        read_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    notification_readers (org_id, user_id) {
        org_id -> Uuid,
        user_id -> Uuid,
        read_until -> Nullable<Timestamptz>,
        quiet_from -> Nullable<Int2>,
        quiet_to -> Nullable<Int2>,
        time_zone -> Text,
        digest -> Text,
        digested_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    notification_reads (notification_id, user_id) {
        notification_id -> Uuid,
        user_id -> Uuid,
        org_id -> Uuid,
        read_at -> Timestamptz,
    }
}

diesel::table! {
    notification_preferences (org_id, user_id, kind, channel) {
        org_id -> Uuid,
        user_id -> Uuid,
        kind -> Text,
        channel -> Text,
        is_on -> Bool,
    }
}

diesel::allow_tables_to_appear_in_same_query!(notification_items, notification_reads);
