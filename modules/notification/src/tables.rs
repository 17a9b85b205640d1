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
