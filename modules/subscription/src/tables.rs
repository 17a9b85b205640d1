diesel::table! {
    subscription_accounts (org_id) {
        org_id -> Uuid,
        trial_ends_at -> Timestamptz,
        plan -> Nullable<Text>,
        period_start -> Nullable<Timestamptz>,
        period_end -> Nullable<Timestamptz>,
        grace_ends_at -> Nullable<Timestamptz>,
        ends_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    subscription_meter (org_id, unit, key) {
        org_id -> Uuid,
        unit -> Text,
        key -> Text,
        counted_at -> Timestamptz,
    }
}

diesel::table! {
    subscription_usage (org_id, unit, month) {
        org_id -> Uuid,
        unit -> Text,
        month -> Date,
        used -> Int4,
        peak -> Int4,
        warned_at -> Nullable<Timestamptz>,
    }
}
