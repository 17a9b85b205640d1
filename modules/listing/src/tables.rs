diesel::table! {
    listing_ads (id) {
        id -> Uuid,
        org_id -> Uuid,
        vehicle_id -> Uuid,
        state -> Text,
        language -> Text,
        title -> Nullable<Text>,
        body -> Nullable<Text>,
        text_edited -> Bool,
        price_eur -> Nullable<Int4>,
        seq -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        sold_at -> Nullable<Timestamptz>,
        tone -> Text,
    }
}

diesel::table! {
    listing_photos (listing_id, photo_id) {
        listing_id -> Uuid,
        photo_id -> Uuid,
        position -> Int4,
    }
}

diesel::table! {
    listing_steps (listing_id, kind, subject_id) {
        listing_id -> Uuid,
        kind -> Text,
        subject_id -> Uuid,
        position -> Int4,
        state -> Text,
        fingerprint -> Nullable<Text>,
        result_id -> Nullable<Uuid>,
        error_code -> Nullable<Text>,
        message_fr -> Nullable<Text>,
        message_en -> Nullable<Text>,
        missing -> Jsonb,
        started_at -> Nullable<Timestamptz>,
        finished_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    listing_price_watch (listing_id) {
        listing_id -> Uuid,
        estimate_id -> Uuid,
        known_eur -> Int4,
        smoothed -> Float8,
        checked_at -> Timestamptz,
    }
}

diesel::table! {
    listing_progress (listing_id, seq) {
        listing_id -> Uuid,
        seq -> Int4,
        kind -> Text,
        photo_id -> Nullable<Uuid>,
        state -> Text,
        percent -> Int4,
        error_code -> Nullable<Text>,
        message_fr -> Nullable<Text>,
        message_en -> Nullable<Text>,
        at -> Timestamptz,
    }
}

diesel::table! {
    listing_rewritings (listing_id) {
        listing_id -> Uuid,
        state -> Text,
        error_code -> Nullable<Text>,
        findings -> Jsonb,
        asked_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    listing_texts (listing_id, version) {
        listing_id -> Uuid,
        version -> Int4,
        title -> Text,
        body -> Text,
        origin -> Text,
        restored_from -> Nullable<Int4>,
        model -> Nullable<Text>,
        written_by -> Nullable<Uuid>,
        written_at -> Timestamptz,
    }
}
