diesel::table! {
    fixture_notes (id) {
        id -> Uuid,
        org_id -> Uuid,
        body -> Text,
        signature -> Nullable<Text>,
    }
}
