diesel::table! {
    privacy_exports (id) {
        id -> Uuid,
        org_id -> Uuid,
        asked_by -> Uuid,
        state -> Text,
        object_id -> Nullable<Uuid>,
        rows -> Nullable<Int8>,
        files -> Nullable<Int8>,
        asked_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    privacy_erasures (id) {
        id -> Uuid,
        organization -> Uuid,
        asked_at -> Timestamptz,
        erased_at -> Nullable<Timestamptz>,
        deleted -> Jsonb,
        kept -> Jsonb,
    }
}

diesel::table! {
    privacy_consents (id) {
        id -> Uuid,
        org_id -> Uuid,
        user_id -> Uuid,
        purpose -> Text,
        version -> Text,
        given_at -> Timestamptz,
        withdrawn_at -> Nullable<Timestamptz>,
    }
}
