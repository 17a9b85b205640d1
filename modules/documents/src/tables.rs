diesel::table! {
    documents_sellers (org_id) {
        org_id -> Uuid,
        seller -> Jsonb,
        terms -> Jsonb,
        vat_scheme -> Text,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    documents_series (org_id, series) {
        org_id -> Uuid,
        series -> Text,
        year -> Int4,
        last -> Int4,
        last_on -> Date,
    }
}

diesel::table! {
    documents_papers (id) {
        id -> Uuid,
        org_id -> Uuid,
        kind -> Text,
        state -> Text,
        number -> Nullable<Text>,
        sale -> Jsonb,
        vehicle_id -> Nullable<Uuid>,
        listing_id -> Nullable<Uuid>,
        contact_id -> Nullable<Uuid>,
        credits_id -> Nullable<Uuid>,
        quote_id -> Nullable<Uuid>,
        net_cents -> Int8,
        vat_cents -> Int8,
        gross_cents -> Int8,
        margin_vat_cents -> Int8,
        issued_on -> Nullable<Date>,
        issued_at -> Nullable<Timestamptz>,
        pdf_sha256 -> Nullable<Text>,
        created_by -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    documents_originals (paper_id) {
        paper_id -> Uuid,
        org_id -> Uuid,
        pdf -> Bytea,
    }
}

diesel::table! {
    documents_register (id) {
        id -> Uuid,
        org_id -> Uuid,
        site_id -> Uuid,
        number -> Int8,
        entry -> Jsonb,
        version -> Int2,
        previous -> Text,
        hash -> Text,
        recorded_at -> Timestamptz,
        vehicle_id -> Nullable<Uuid>,
        recorded_by -> Uuid,
    }
}

diesel::table! {
    documents_register_heads (site_id) {
        site_id -> Uuid,
        org_id -> Uuid,
        site_name -> Text,
        site_address -> Text,
        count -> Int8,
        last_hash -> Text,
        last_at -> Timestamptz,
    }
}

diesel::joinable!(documents_originals -> documents_papers (paper_id));
diesel::allow_tables_to_appear_in_same_query!(documents_originals, documents_papers);
