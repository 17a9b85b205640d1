diesel::table! {
    auth_organizations (id) {
        id -> Uuid,
        name -> Text,
        kind -> Text,
        created_at -> Timestamptz,
        siren -> Nullable<Text>,
        suspended_at -> Nullable<Timestamptz>,
        suspended_for -> Nullable<Text>,
    }
}

diesel::table! {
    auth_users (id) {
        id -> Uuid,
        org_id -> Uuid,
        email -> Nullable<Text>,
        password_hash -> Nullable<Text>,
        created_at -> Timestamptz,
        staff -> Bool,
        locale -> Text,
        email_verified_at -> Nullable<Timestamptz>,
        totp_secret -> Nullable<Text>,
        totp_enabled_at -> Nullable<Timestamptz>,
        totp_step -> Nullable<Int8>,
    }
}

diesel::table! {
    auth_memberships (user_id, org_id) {
        user_id -> Uuid,
        org_id -> Uuid,
        role -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    auth_sessions (id) {
        id -> Uuid,
        user_id -> Uuid,
        org_id -> Uuid,
        agent -> Nullable<Text>,
        network -> Nullable<Text>,
        created_at -> Timestamptz,
        seen_at -> Timestamptz,
        expires_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    auth_refresh_tokens (id) {
        id -> Uuid,
        family_id -> Uuid,
        token_hash -> Text,
        expires_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    auth_links (id) {
        id -> Uuid,
        user_id -> Uuid,
        purpose -> Text,
        email -> Text,
        token_hash -> Text,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    auth_recovery_codes (user_id, code_hash) {
        user_id -> Uuid,
        code_hash -> Text,
    }
}

diesel::table! {
    auth_invitations (id) {
        id -> Uuid,
        org_id -> Uuid,
        email -> Text,
        role -> Text,
        token_hash -> Text,
        invited_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    auth_sites (id) {
        id -> Uuid,
        org_id -> Uuid,
        name -> Text,
        street -> Nullable<Text>,
        postal_code -> Nullable<Text>,
        city -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    auth_api_keys (id) {
        id -> Uuid,
        org_id -> Uuid,
        name -> Text,
        prefix -> Text,
        key_hash -> Text,
        scopes -> Array<Text>,
        cost_capacity -> Nullable<Int4>,
        cost_per_second -> Nullable<Int4>,
        created_by -> Uuid,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    auth_trail (id) {
        id -> Uuid,
        org_id -> Uuid,
        user_id -> Uuid,
        staff_id -> Nullable<Uuid>,
        api_key_id -> Nullable<Uuid>,
        action -> Text,
        outcome -> Text,
        subject_id -> Nullable<Uuid>,
        network -> Nullable<Text>,
        reason -> Nullable<Text>,
        at -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    auth_users,
    auth_organizations,
    auth_memberships,
    auth_sessions,
    auth_api_keys
);
