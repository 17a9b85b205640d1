use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::tables::{auth_memberships, auth_organizations, auth_recovery_codes, auth_sessions, auth_users};

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
    /// Since when staff have put it on hold, and why.
    pub suspended_at: Option<DateTime<Utc>>,
    pub suspended_for: Option<String>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = auth_users)]
pub struct User {
    pub id: Uuid,
    /// Where they signed in last.
    pub org_id: Uuid,
    /// None for a guest.
    pub email: Option<String>,
    pub password_hash: Option<String>,
    pub created_at: DateTime<Utc>,
    pub staff: bool,
    pub locale: String,
    pub email_verified_at: Option<DateTime<Utc>>,
    /// Sealed.
    pub totp_secret: Option<String>,
    pub totp_enabled_at: Option<DateTime<Utc>>,
    pub totp_step: Option<i64>,
}

pub async fn organization(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Option<Organization>> {
    auth_organizations::table.find(id).select(Organization::as_select()).first(conn).await.optional()
}

pub async fn lock_organization(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Option<Organization>> {
    auth_organizations::table.find(id).select(Organization::as_select()).for_update().first(conn).await.optional()
}

pub async fn save_organization(conn: &mut AsyncPgConnection, org: &Organization) -> QueryResult<usize> {
    diesel::update(auth_organizations::table.find(org.id))
        .set((
            auth_organizations::name.eq(&org.name),
            auth_organizations::kind.eq(&org.kind),
            auth_organizations::siren.eq(&org.siren),
        ))
        .execute(conn)
        .await
}

pub async fn insert_organization(conn: &mut AsyncPgConnection, org: &Organization) -> QueryResult<usize> {
    diesel::insert_into(auth_organizations::table).values(org).execute(conn).await
}

/// False when the e-mail address is taken.
pub async fn insert_user(conn: &mut AsyncPgConnection, user: &User) -> QueryResult<bool> {
    let inserted = diesel::insert_into(auth_users::table)
        .values(user)
        .on_conflict(auth_users::email)
        .do_nothing()
        .execute(conn)
        .await?;
    Ok(inserted == 1)
}

pub async fn user(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Option<User>> {
    auth_users::table.find(id).select(User::as_select()).first(conn).await.optional()
}

pub async fn lock_user(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Option<User>> {
    auth_users::table.find(id).select(User::as_select()).for_update().first(conn).await.optional()
}

pub async fn user_by_email(conn: &mut AsyncPgConnection, email: &str) -> QueryResult<Option<User>> {
    auth_users::table.filter(auth_users::email.eq(email)).select(User::as_select()).first(conn).await.optional()
}

/// The organization somebody works in from now on.
pub async fn enter_organization(conn: &mut AsyncPgConnection, user: Uuid, org: Uuid) -> QueryResult<usize> {
    diesel::update(auth_users::table.find(user)).set(auth_users::org_id.eq(org)).execute(conn).await
}

/// Saves what may change of a user whose row is locked.
pub async fn save_user(conn: &mut AsyncPgConnection, user: &User) -> QueryResult<usize> {
    diesel::update(auth_users::table.find(user.id))
        .set((
            auth_users::org_id.eq(user.org_id),
            auth_users::email.eq(&user.email),
            auth_users::password_hash.eq(&user.password_hash),
            auth_users::locale.eq(&user.locale),
            auth_users::email_verified_at.eq(user.email_verified_at),
            auth_users::totp_secret.eq(&user.totp_secret),
            auth_users::totp_enabled_at.eq(user.totp_enabled_at),
            auth_users::totp_step.eq(user.totp_step),
        ))
        .execute(conn)
        .await
}

pub async fn delete_user(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<usize> {
    diesel::delete(auth_users::table.find(id)).execute(conn).await
}

/// Who signs in to their organization, and as what.
pub async fn account(
    conn: &mut AsyncPgConnection,
    user: Uuid,
    org: Uuid,
) -> QueryResult<Option<(User, Organization, String)>> {
    auth_memberships::table
        .inner_join(auth_users::table.on(auth_users::id.eq(auth_memberships::user_id)))
        .inner_join(auth_organizations::table.on(auth_organizations::id.eq(auth_memberships::org_id)))
        .filter(auth_memberships::user_id.eq(user).and(auth_memberships::org_id.eq(org)))
        .select((User::as_select(), Organization::as_select(), auth_memberships::role))
        .first(conn)
        .await
        .optional()
}

/// Replaces the recovery codes of a user.
pub async fn replace_codes(conn: &mut AsyncPgConnection, user: Uuid, hashes: &[String]) -> QueryResult<()> {
    diesel::delete(auth_recovery_codes::table.filter(auth_recovery_codes::user_id.eq(user))).execute(conn).await?;
    let rows: Vec<_> = hashes
        .iter()
        .map(|hash| (auth_recovery_codes::user_id.eq(user), auth_recovery_codes::code_hash.eq(hash)))
        .collect();
    diesel::insert_into(auth_recovery_codes::table).values(rows).execute(conn).await?;
    Ok(())
}

/// Takes a recovery code away; false where the user has no such code.
pub async fn use_code(conn: &mut AsyncPgConnection, user: Uuid, hash: &str) -> QueryResult<bool> {
    let code = auth_recovery_codes::table.find((user, hash));
    Ok(diesel::delete(code).execute(conn).await? == 1)
}

pub async fn codes_left(conn: &mut AsyncPgConnection, user: Uuid) -> QueryResult<i64> {
    auth_recovery_codes::table.filter(auth_recovery_codes::user_id.eq(user)).count().get_result(conn).await
}

pub async fn set_staff(conn: &mut AsyncPgConnection, email: &str, staff: bool) -> QueryResult<bool> {
    let user = auth_users::table.filter(auth_users::email.eq(email));
    Ok(diesel::update(user).set(auth_users::staff.eq(staff)).execute(conn).await? == 1)
}

/// Deletes an organization, and its people who belong to no other; answers how many.
pub async fn erase(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<usize> {
    // Whoever belongs to another one goes on there, wherever they signed in last.
    let elsewhere = "UPDATE auth_users u SET org_id = m.org_id FROM auth_memberships m \
        WHERE m.user_id = u.id AND m.org_id <> $1 AND u.org_id = $1";
    diesel::sql_query(elsewhere).bind::<diesel::sql_types::Uuid, _>(org).execute(conn).await?;
    // Members of no other one, wherever they signed in last; and those who left this one and have none at all.
    let last = "DELETE FROM auth_users u WHERE NOT EXISTS \
          (SELECT FROM auth_memberships m WHERE m.user_id = u.id AND m.org_id <> $1) \
        AND (u.org_id = $1 OR EXISTS (SELECT FROM auth_memberships m WHERE m.user_id = u.id AND m.org_id = $1))";
    let people = diesel::sql_query(last).bind::<diesel::sql_types::Uuid, _>(org).execute(conn).await?;
    diesel::delete(auth_organizations::table.find(org)).execute(conn).await?;
    Ok(people)
}

/// Organizations of guests none of whose sessions was seen since a moment.
pub async fn idle_guests(conn: &mut AsyncPgConnection, since: DateTime<Utc>) -> QueryResult<Vec<Uuid>> {
    let seen = auth_sessions::table
        .filter(auth_sessions::user_id.eq(auth_users::id).and(auth_sessions::seen_at.ge(since)))
        .select(auth_sessions::id);
    auth_users::table
        .filter(auth_users::email.is_null().and(auth_users::created_at.lt(since)))
        .filter(diesel::dsl::not(diesel::dsl::exists(seen)))
        .select(auth_users::org_id)
        .limit(1_000)
        .load(conn)
        .await
}
