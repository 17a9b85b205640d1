diesel::table! {
    webhook_endpoints (id) {
        id -> Uuid,
        org_id -> Uuid,
        url -> Text,
        description -> Nullable<Text>,
        events -> Array<Text>,
        selection -> Nullable<Text>,
        secret -> Text,
        old_secret -> Nullable<Text>,
        old_until -> Nullable<Timestamptz>,
        failures -> Int4,
        stopped_at -> Nullable<Timestamptz>,
        created_by -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    webhook_events (id) {
        id -> Uuid,
        org_id -> Uuid,
        name -> Text,
        subject_id -> Uuid,
        facts -> Jsonb,
        occurred_at -> Timestamptz,
    }
}

diesel::table! {
    webhook_deliveries (id) {
        id -> Uuid,
        org_id -> Uuid,
        endpoint_id -> Uuid,
        event_id -> Uuid,
        attempt -> Int4,
        state -> Text,
        status -> Nullable<Int4>,
        error -> Nullable<Text>,
        created_at -> Timestamptz,
        tried_at -> Nullable<Timestamptz>,
        next_at -> Nullable<Timestamptz>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(webhook_endpoints, webhook_events, webhook_deliveries);
