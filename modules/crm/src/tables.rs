diesel::table! {
    crm_contacts (id) {
        id -> Uuid,
        org_id -> Uuid,
        name -> Nullable<Text>,
        emails -> Array<Text>,
        phones -> Array<Text>,
        postal_code -> Nullable<Text>,
        language -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        last_contact_at -> Timestamptz,
    }
}

diesel::table! {
    crm_consents (id) {
        id -> Uuid,
        org_id -> Uuid,
        contact_id -> Uuid,
        purpose -> Text,
        version -> Text,
        source -> Text,
        given_at -> Timestamptz,
        withdrawn_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    crm_stages (org_id, key) {
        org_id -> Uuid,
        key -> Text,
        position -> Int4,
        label_fr -> Text,
        label_en -> Text,
        probability -> Int4,
    }
}

diesel::table! {
    crm_leads (id) {
        id -> Uuid,
        org_id -> Uuid,
        contact_id -> Nullable<Uuid>,
        listing_id -> Nullable<Uuid>,
        vehicle_id -> Nullable<Uuid>,
        car_text -> Nullable<Text>,
        source -> Text,
        message -> Nullable<Text>,
        stage -> Text,
        assigned_to -> Nullable<Uuid>,
        value_eur -> Nullable<Int4>,
        touches -> Int4,
        received_at -> Timestamptz,
        last_touch_at -> Timestamptz,
        first_response_at -> Nullable<Timestamptz>,
        closed_at -> Nullable<Timestamptz>,
        lost_reason -> Nullable<Text>,
        created_by -> Nullable<Uuid>,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    crm_interactions (id) {
        id -> Uuid,
        org_id -> Uuid,
        lead_id -> Uuid,
        kind -> Text,
        direction -> Nullable<Text>,
        body -> Nullable<Text>,
        remark -> Nullable<Text>,
        happened_at -> Timestamptz,
        by_user -> Nullable<Uuid>,
        external_id -> Nullable<Text>,
    }
}

diesel::table! {
    crm_moves (id) {
        id -> Uuid,
        org_id -> Uuid,
        lead_id -> Uuid,
        from_stage -> Text,
        to_stage -> Text,
        reason -> Nullable<Text>,
        moved_by -> Nullable<Uuid>,
        moved_at -> Timestamptz,
        undone_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    crm_tasks (id) {
        id -> Uuid,
        org_id -> Uuid,
        lead_id -> Uuid,
        title -> Text,
        due_at -> Timestamptz,
        assigned_to -> Nullable<Uuid>,
        created_by -> Uuid,
        created_at -> Timestamptz,
        done_at -> Nullable<Timestamptz>,
        reminded_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    crm_aliases (id) {
        id -> Uuid,
        org_id -> Uuid,
        listing_id -> Nullable<Uuid>,
        token -> Text,
        created_at -> Timestamptz,
        replaced_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    crm_mails (id) {
        id -> Uuid,
        org_id -> Uuid,
        lead_id -> Uuid,
        object_id -> Uuid,
        received_at -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(crm_contacts, crm_leads, crm_tasks);
