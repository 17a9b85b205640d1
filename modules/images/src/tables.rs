diesel::table! {
    images_cleanings (id) {
        id -> Uuid,
        org_id -> Uuid,
        photo_id -> Uuid,
        state -> Text,
        cleaned_object -> Nullable<Uuid>,
        masked_object -> Nullable<Uuid>,
        car_found -> Nullable<Bool>,
        coverage -> Nullable<Float4>,
        confidence -> Nullable<Float4>,
        plates_masked -> Nullable<Int4>,
        manifest -> Nullable<Jsonb>,
        error -> Nullable<Text>,
        created_at -> Timestamptz,
        finished_at -> Nullable<Timestamptz>,
        job_id -> Nullable<Uuid>,
    }
}
