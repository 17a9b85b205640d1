diesel::table! {
    billing_customers (org_id) {
        org_id -> Uuid,
        customer_id -> Text,
        open_session -> Nullable<Text>,
        asked -> Int8,
        applied -> Int8,
        created_by -> Uuid,
        created_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    billing_subscriptions (stripe_id) {
        stripe_id -> Text,
        org_id -> Uuid,
        status -> Text,
        plan -> Nullable<Text>,
        price_id -> Text,
        item_id -> Text,
        period_start -> Timestamptz,
        period_end -> Timestamptz,
        trial_end -> Nullable<Timestamptz>,
        cancel_at -> Nullable<Timestamptz>,
        ended_at -> Nullable<Timestamptz>,
        grace_ends_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    billing_invoices (id) {
        id -> Uuid,
        org_id -> Uuid,
        stripe_id -> Text,
        subscription_id -> Nullable<Text>,
        number -> Nullable<Text>,
        status -> Text,
        currency -> Text,
        net_cents -> Int8,
        total_cents -> Int8,
        paid_cents -> Int8,
        due_cents -> Int8,
        attempts -> Int4,
        issued_at -> Timestamptz,
        finalized_at -> Nullable<Timestamptz>,
        paid_at -> Nullable<Timestamptz>,
        next_attempt_at -> Nullable<Timestamptz>,
        hosted_url -> Nullable<Text>,
        pdf_url -> Nullable<Text>,
    }
}

diesel::table! {
    billing_events (id) {
        id -> Text,
        org_id -> Nullable<Uuid>,
        customer_id -> Nullable<Text>,
        kind -> Text,
        object_id -> Nullable<Text>,
        payload -> Jsonb,
        happened_at -> Timestamptz,
        received_at -> Timestamptz,
    }
}

diesel::table! {
    billing_notes (id) {
        id -> Uuid,
        org_id -> Uuid,
        kind -> Text,
        stripe_id -> Text,
        amount_cents -> Nullable<Int8>,
        currency -> Nullable<Text>,
        reason -> Nullable<Text>,
        noted_at -> Timestamptz,
    }
}

diesel::table! {
    billing_differences (id) {
        id -> Uuid,
        org_id -> Uuid,
        customer_id -> Text,
        stripe_id -> Text,
        field -> Text,
        ours -> Nullable<Text>,
        theirs -> Nullable<Text>,
        found_at -> Timestamptz,
    }
}
