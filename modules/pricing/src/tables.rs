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
    }
}
