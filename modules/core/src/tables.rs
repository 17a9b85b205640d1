diesel::table! {
    core_batches (id) {
        id -> Uuid,
        open -> Int4,
        callback -> Jsonb,
    }
}

diesel::table! {
    core_features (name) {
        name -> Text,
        percent -> Int4,
        organizations -> Array<Uuid>,
        changed_by -> Uuid,
        changed_at -> Timestamptz,
    }
}

diesel::table! {
    core_idempotency (org_id, caller, key) {
        org_id -> Uuid,
        caller -> Uuid,
        key -> Text,
        fingerprint -> Text,
        begun_at -> Timestamptz,
        answer -> Nullable<Text>,
    }
}

diesel::table! {
    core_jobs (id) {
        id -> Uuid,
        name -> Text,
        queue -> Text,
        args -> Jsonb,
        attempt -> Int4,
        max_attempts -> Int4,
        run_at -> Timestamptz,
        dispatched_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        seq -> Int8,
        priority -> Int2,
        org_id -> Nullable<Uuid>,
        ordering_key -> Nullable<Text>,
        unique_key -> Nullable<Text>,
        provider -> Nullable<Text>,
        batch_id -> Nullable<Uuid>,
        worker -> Nullable<Uuid>,
        started_at -> Nullable<Timestamptz>,
        cancelled_at -> Nullable<Timestamptz>,
        history -> Jsonb,
        trace -> Nullable<Text>,
    }
}

diesel::table! {
    core_jobs_ended (id) {
        id -> Uuid,
        name -> Text,
        queue -> Text,
        priority -> Int2,
        org_id -> Nullable<Uuid>,
        args -> Jsonb,
        outcome -> Text,
        attempt -> Int4,
        max_attempts -> Int4,
        ordering_key -> Nullable<Text>,
        provider -> Nullable<Text>,
        history -> Jsonb,
        created_at -> Timestamptz,
        started_at -> Nullable<Timestamptz>,
        ended_at -> Timestamptz,
        keep_until -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    core_schedules (name) {
        name -> Text,
        next_at -> Timestamptz,
    }
}

diesel::table! {
    core_workers (id) {
        id -> Uuid,
        started_at -> Timestamptz,
        seen_at -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(core_batches, core_jobs, core_jobs_ended, core_schedules, core_workers);
