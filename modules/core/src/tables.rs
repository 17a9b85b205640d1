diesel::table! {
    core_jobs (id) {
        id -> Uuid,
        name -> Text,
        queue -> Text,
        args -> Jsonb,
        state -> Text,
        attempt -> Int4,
        max_attempts -> Int4,
        run_at -> Timestamptz,
        dispatched_at -> Nullable<Timestamptz>,
        lease_until -> Nullable<Timestamptz>,
        last_error -> Nullable<Text>,
        created_at -> Timestamptz,
        finished_at -> Nullable<Timestamptz>,
    }
}
