diesel::table! {
    plates_access (org_id) {
        org_id -> Uuid,
        sealed -> Text,
        since -> Timestamptz,
        refused_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    plates_readings (id) {
        id -> Uuid,
        org_id -> Uuid,
        photo_id -> Uuid,
        state -> Text,
        text -> Nullable<Text>,
        confidence -> Nullable<Float4>,
        corrected -> Bool,
        sightings -> Jsonb,
        manifest -> Nullable<Jsonb>,
        error -> Nullable<Text>,
        created_at -> Timestamptz,
        finished_at -> Nullable<Timestamptz>,
        accepted -> Bool,
        job_id -> Nullable<Uuid>,
        corrected_at -> Nullable<Timestamptz>,
        measured -> Bool,
    }
}

diesel::table! {
    plates_examples (reading_id) {
        reading_id -> Uuid,
        org_id -> Uuid,
        photo_id -> Uuid,
        read_text -> Nullable<Text>,
        text -> Text,
        manifest -> Nullable<Jsonb>,
        created_at -> Timestamptz,
        keep_until -> Timestamptz,
    }
}
