diesel::table! {
    pricing_ads (id) {
        id -> Uuid,
        org_id -> Nullable<Uuid>,
        kind -> Text,
        source -> Text,
        reference -> Text,
        make -> Text,
        model -> Text,
        facts -> Jsonb,
        age -> Float8,
        mileage_km -> Int4,
        fuel -> Nullable<Text>,
        power_hp -> Nullable<Int4>,
        price_eur -> Int4,
        seen_on -> Date,
        first_seen_on -> Nullable<Date>,
        gone_on -> Nullable<Date>,
        residual -> Float8,
        estimated_by -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    pricing_estimates (id) {
        id -> Uuid,
        org_id -> Uuid,
        vehicle_id -> Uuid,
        facts -> Jsonb,
        low -> Nullable<Int4>,
        mid -> Nullable<Int4>,
        high -> Nullable<Int4>,
        confidence -> Nullable<Float8>,
        sample_size -> Nullable<Int4>,
        data_until -> Nullable<Date>,
        contributions -> Jsonb,
        refused -> Nullable<Jsonb>,
        manifest -> Jsonb,
        created_at -> Timestamptz,
        evidence -> Jsonb,
    }
}

diesel::table! {
    pricing_levels (month, fuel) {
        month -> Date,
        fuel -> Text,
        ads -> Int4,
        median_residual -> Float8,
    }
}

diesel::allow_tables_to_appear_in_same_query!(pricing_ads, pricing_estimates, pricing_levels,);
