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
        verdict -> Nullable<Text>,
        remarks -> Jsonb,
        style -> Jsonb,
        angle -> Nullable<Text>,
        angle_confidence -> Nullable<Float4>,
        faces_blurred -> Nullable<Int4>,
        drawn_style -> Nullable<Jsonb>,
        framed -> Nullable<Bool>,
        frame -> Nullable<Jsonb>,
    }
}

diesel::table! {
    images_presets (org_id) {
        org_id -> Uuid,
        scene -> Text,
        plate_cover -> Text,
        framed -> Bool,
        background_photo -> Nullable<Uuid>,
        logo_photo -> Nullable<Uuid>,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    images_variants (cleaning_id, object_id) {
        object_id -> Uuid,
        cleaning_id -> Uuid,
        source_id -> Uuid,
        media_type -> Text,
        width -> Int4,
        height -> Int4,
    }
}

diesel::joinable!(images_variants -> images_cleanings (cleaning_id));

diesel::allow_tables_to_appear_in_same_query!(images_cleanings, images_presets, images_variants,);
