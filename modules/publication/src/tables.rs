diesel::table! {
    publication_packs (id) {
        id -> Uuid,
        org_id -> Uuid,
        listing_id -> Uuid,
        channel -> Text,
        title -> Text,
        body -> Text,
        fields -> Jsonb,
        state -> Text,
        ad_url -> Nullable<Text>,
        external_id -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        published_at -> Nullable<Timestamptz>,
        withdrawn_at -> Nullable<Timestamptz>,
        sold_at -> Nullable<Timestamptz>,
        reminded_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    publication_pages (listing_id) {
        listing_id -> Uuid,
        org_id -> Uuid,
        slug -> Text,
        opened_at -> Timestamptz,
        gone_at -> Nullable<Timestamptz>,
        hidden_at -> Nullable<Timestamptz>,
        hidden_for -> Nullable<Text>,
    }
}

diesel::table! {
    publication_reports (id) {
        id -> Uuid,
        listing_id -> Uuid,
        reason -> Text,
        details -> Text,
        email -> Nullable<Text>,
        network -> Nullable<Text>,
        created_at -> Timestamptz,
        state -> Text,
        decided_at -> Nullable<Timestamptz>,
        decided_by -> Nullable<Uuid>,
        statement -> Nullable<Text>,
    }
}

diesel::table! {
    publication_feeds (id) {
        id -> Uuid,
        org_id -> Uuid,
        format -> Text,
        key -> Text,
        object_id -> Nullable<Uuid>,
        cars -> Int4,
        built_at -> Nullable<Timestamptz>,
        refused_cars -> Nullable<Int4>,
        refused_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    publication_tasks (id) {
        id -> Uuid,
        org_id -> Uuid,
        listing_id -> Uuid,
        kind -> Text,
        due_on -> Date,
        opened_at -> Timestamptz,
        reminded_days -> Nullable<Int4>,
        closed_at -> Nullable<Timestamptz>,
        done_by -> Nullable<Uuid>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(publication_packs, publication_pages,);
