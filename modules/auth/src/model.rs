use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::tables::{auth_organizations, auth_refresh_tokens, auth_users};

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = auth_organizations)]
pub struct Organization {
    pub id: Uuid,
    pub name: String,
    /// `dealer` or `private_seller`.
    pub kind: String,
    pub created_at: DateTime<Utc>,
    /// Number of the company, nine digits.
    pub siren: Option<String>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = auth_users)]
pub struct User {
    pub id: Uuid,
    pub org_id: Uuid,
    pub email: String,
    pub password_hash: String,
    pub created_at: DateTime<Utc>,
    pub staff: bool,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = auth_refresh_tokens)]
pub struct RefreshToken {
    pub id: Uuid,
    pub family_id: Uuid,
    pub user_id: Uuid,
    pub token_hash: String,
    pub expires_at: DateTime<Utc>,
    pub used_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

pub async fn organization(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Option<Organization>> {
    auth_organizations::table.find(id).select(Organization::as_select()).first(conn).await.optional()
}

pub async fn lock_organization(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Option<Organization>> {
    auth_organizations::table.find(id).select(Organization::as_select()).for_update().first(conn).await.optional()
}

pub async fn save_organization(conn: &mut AsyncPgConnection, org: &Organization) -> QueryResult<usize> {
    diesel::update(auth_organizations::table.find(org.id))
        .set((auth_organizations::name.eq(&org.name), auth_organizations::siren.eq(&org.siren)))
        .execute(conn)
        .await
}

/// False when the e-mail address is taken.
pub async fn insert_account(conn: &mut AsyncPgConnection, org: &Organization, user: &User) -> QueryResult<bool> {
    diesel::insert_into(auth_organizations::table).values(org).execute(conn).await?;
    let inserted = diesel::insert_into(auth_users::table)
        .values(user)
        .on_conflict(auth_users::email)
        .do_nothing()
        .execute(conn)
        .await?;
    Ok(inserted == 1)
}

pub async fn user_by_email(conn: &mut AsyncPgConnection, email: &str) -> QueryResult<Option<User>> {
    auth_users::table.filter(auth_users::email.eq(email)).select(User::as_select()).first(conn).await.optional()
}

pub async fn account(conn: &mut AsyncPgConnection, user: Uuid) -> QueryResult<Option<(User, Organization)>> {
    auth_users::table
        .inner_join(auth_organizations::table.on(auth_organizations::id.eq(auth_users::org_id)))
        .filter(auth_users::id.eq(user))
        .select((User::as_select(), Organization::as_select()))
        .first(conn)
        .await
        .optional()
}

diesel::allow_tables_to_appear_in_same_query!(auth_users, auth_organizations);

pub async fn insert_refresh(conn: &mut AsyncPgConnection, token: &RefreshToken) -> QueryResult<usize> {
    diesel::insert_into(auth_refresh_tokens::table).values(token).execute(conn).await
}

/// The token, locked: of two uses at the same time the second sees the first.
pub async fn lock_refresh(conn: &mut AsyncPgConnection, hash: &str) -> QueryResult<Option<RefreshToken>> {
    auth_refresh_tokens::table
        .filter(auth_refresh_tokens::token_hash.eq(hash))
        .select(RefreshToken::as_select())
        .for_update()
        .first(conn)
        .await
        .optional()
}

pub async fn mark_used(conn: &mut AsyncPgConnection, id: Uuid, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(auth_refresh_tokens::table.find(id)).set(auth_refresh_tokens::used_at.eq(now)).execute(conn).await
}

pub async fn revoke_family(conn: &mut AsyncPgConnection, family: Uuid, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(auth_refresh_tokens::table)
        .filter(auth_refresh_tokens::family_id.eq(family).and(auth_refresh_tokens::revoked_at.is_null()))
        .set(auth_refresh_tokens::revoked_at.eq(now))
        .execute(conn)
        .await
}

/// False when nobody has this address.
pub async fn set_staff(conn: &mut AsyncPgConnection, email: &str, staff: bool) -> QueryResult<bool> {
    let user = auth_users::table.filter(auth_users::email.eq(email));
    Ok(diesel::update(user).set(auth_users::staff.eq(staff)).execute(conn).await? == 1)
}
