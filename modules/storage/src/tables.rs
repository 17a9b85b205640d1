diesel::table! {
    storage_objects (id) {
        id -> Uuid,
        org_id -> Uuid,
        key -> Text,
        media_type -> Text,
        bytes -> Int8,
        width -> Nullable<Int4>,
        height -> Nullable<Int4>,
        sha256 -> Text,
        created_at -> Timestamptz,
        public_key -> Nullable<Text>,
        masking -> Nullable<Jsonb>,
    }
}

diesel::table! {
    storage_passing (key) {
        key -> Text,
        stored_at -> Timestamptz,
    }
}
