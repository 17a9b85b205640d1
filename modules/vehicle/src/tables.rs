diesel::table! {
    vehicle_vehicles (id) {
        id -> Uuid,
        org_id -> Uuid,
        plate -> Nullable<Text>,
        make -> Nullable<Text>,
        model -> Nullable<Text>,
        version -> Nullable<Text>,
        first_registration_year -> Nullable<Int4>,
        first_registration_month -> Nullable<Int4>,
        mileage_km -> Nullable<Int4>,
        fuel -> Nullable<Text>,
        gearbox -> Nullable<Text>,
        power_hp -> Nullable<Int4>,
        fiscal_hp -> Nullable<Int4>,
        doors -> Nullable<Int4>,
        seats -> Nullable<Int4>,
        colour -> Nullable<Text>,
        sources -> Jsonb,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        inspected_on -> Nullable<Date>,
        inspection_retest -> Nullable<Bool>,
        crit_air -> Nullable<Text>,
        stock_number -> Nullable<Text>,
        stock_state -> Text,
        entered_on -> Nullable<Date>,
        left_on -> Nullable<Date>,
        asking_price_eur -> Nullable<Int4>,
        import_id -> Nullable<Uuid>,
        search -> Text,
        vin -> Nullable<Text>,
        co2 -> Nullable<Int4>,
    }
}

diesel::table! {
    vehicle_statements (id) {
        id -> Uuid,
        org_id -> Uuid,
        vehicle_id -> Uuid,
        change_id -> Uuid,
        field -> Text,
        value -> Jsonb,
        source -> Text,
        confidence -> Nullable<Float8>,
        stated_at -> Timestamptz,
        stated_by -> Nullable<Uuid>,
        retracted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    vehicle_moves (id) {
        id -> Uuid,
        org_id -> Uuid,
        vehicle_id -> Uuid,
        from_state -> Text,
        to_state -> Text,
        moved_at -> Timestamptz,
        moved_by -> Nullable<Uuid>,
    }
}

diesel::table! {
    vehicle_imports (id) {
        id -> Uuid,
        org_id -> Uuid,
        created -> Int4,
        updated -> Int4,
        imported_at -> Timestamptz,
        imported_by -> Uuid,
        undone_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    vehicle_registry_access (org_id) {
        org_id -> Uuid,
        sealed -> Text,
        since -> Timestamptz,
        refused_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    vehicle_registry_questions (id) {
        id -> Uuid,
        org_id -> Uuid,
        plate -> Text,
        car -> Nullable<Jsonb>,
        cost_cents -> Int4,
        asked_at -> Timestamptz,
    }
}

diesel::table! {
    vehicle_certificates (vehicle_id) {
        vehicle_id -> Uuid,
        org_id -> Uuid,
        object_id -> Nullable<Uuid>,
        state -> Text,
        fields -> Jsonb,
        read_by -> Nullable<Text>,
        asked_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    vehicle_histovec (vehicle_id) {
        vehicle_id -> Uuid,
        org_id -> Uuid,
        consent_by -> Uuid,
        consent_at -> Timestamptz,
        sealed_url -> Nullable<Text>,
        report_on -> Date,
        holders -> Nullable<Int4>,
        sale_forbidden -> Bool,
        mileages -> Jsonb,
    }
}
