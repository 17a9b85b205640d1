use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use super::{Organization, User};
use crate::tables::{auth_invitations, auth_memberships, auth_organizations, auth_users};

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = auth_memberships)]
pub struct Membership {
    pub user_id: Uuid,
    pub org_id: Uuid,
    pub role: String,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = auth_invitations)]
pub struct Invitation {
    pub id: Uuid,
    pub org_id: Uuid,
    pub email: String,
    pub role: String,
    pub token_hash: String,
    pub invited_by: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// Accepted, taken back, or replaced by another.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Adds a member; whoever is one already keeps their role.
pub async fn insert_membership(conn: &mut AsyncPgConnection, membership: &Membership) -> QueryResult<usize> {
    diesel::insert_into(auth_memberships::table).values(membership).on_conflict_do_nothing().execute(conn).await
}

pub async fn members(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<Vec<(Membership, User)>> {
    auth_memberships::table
        .inner_join(auth_users::table.on(auth_users::id.eq(auth_memberships::user_id)))
        .filter(auth_memberships::org_id.eq(org))
        .order((auth_memberships::created_at, auth_memberships::user_id))
        .select((Membership::as_select(), User::as_select()))
        .load(conn)
        .await
}

/// The organizations of a user, the oldest membership first.
pub async fn memberships(conn: &mut AsyncPgConnection, user: Uuid) -> QueryResult<Vec<(Membership, Organization)>> {
    auth_memberships::table
        .inner_join(auth_organizations::table.on(auth_organizations::id.eq(auth_memberships::org_id)))
        .filter(auth_memberships::user_id.eq(user))
        .order((auth_memberships::created_at, auth_memberships::org_id))
        .select((Membership::as_select(), Organization::as_select()))
        .load(conn)
        .await
}

pub async fn membership(conn: &mut AsyncPgConnection, org: Uuid, user: Uuid) -> QueryResult<Option<Membership>> {
    auth_memberships::table.find((user, org)).select(Membership::as_select()).first(conn).await.optional()
}

pub async fn owners(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<i64> {
    auth_memberships::table
        .filter(auth_memberships::org_id.eq(org).and(auth_memberships::role.eq("owner")))
        .count()
        .get_result(conn)
        .await
}

pub async fn set_role(conn: &mut AsyncPgConnection, org: Uuid, user: Uuid, role: &str) -> QueryResult<usize> {
    diesel::update(auth_memberships::table.find((user, org))).set(auth_memberships::role.eq(role)).execute(conn).await
}

pub async fn delete_membership(conn: &mut AsyncPgConnection, org: Uuid, user: Uuid) -> QueryResult<usize> {
    diesel::delete(auth_memberships::table.find((user, org))).execute(conn).await
}

/// Adds an invitation in place of an open one to the same address.
pub async fn insert_invitation(conn: &mut AsyncPgConnection, invitation: &Invitation) -> QueryResult<usize> {
    diesel::update(auth_invitations::table)
        .filter(auth_invitations::org_id.eq(invitation.org_id).and(auth_invitations::email.eq(&invitation.email)))
        .filter(auth_invitations::ended_at.is_null())
        .set(auth_invitations::ended_at.eq(invitation.created_at))
        .execute(conn)
        .await?;
    diesel::insert_into(auth_invitations::table).values(invitation).execute(conn).await
}

pub async fn invitations(conn: &mut AsyncPgConnection, org: Uuid, now: DateTime<Utc>) -> QueryResult<Vec<Invitation>> {
    auth_invitations::table
        .filter(auth_invitations::org_id.eq(org).and(auth_invitations::ended_at.is_null()))
        .filter(auth_invitations::expires_at.gt(now))
        .order(auth_invitations::id.desc())
        .limit(200)
        .select(Invitation::as_select())
        .load(conn)
        .await
}

/// Takes an open invitation back; false where the organization has none of this id.
pub async fn end_invitation(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    id: Uuid,
    now: DateTime<Utc>,
) -> QueryResult<bool> {
    let open = auth_invitations::table.find(id).filter(auth_invitations::org_id.eq(org));
    let ended = diesel::update(open.filter(auth_invitations::ended_at.is_null()));
    Ok(ended.set(auth_invitations::ended_at.eq(now)).execute(conn).await? == 1)
}

/// Takes back the open invitations that somebody sent.
pub async fn end_invitations_by(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    user: Uuid,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::update(auth_invitations::table)
        .filter(auth_invitations::org_id.eq(org))
        .filter(auth_invitations::invited_by.eq(user))
        .filter(auth_invitations::ended_at.is_null())
        .set(auth_invitations::ended_at.eq(now))
        .execute(conn)
        .await
}

/// Uses an invitation up; none where it has ended or expired.
pub async fn use_invitation(
    conn: &mut AsyncPgConnection,
    hash: &str,
    now: DateTime<Utc>,
) -> QueryResult<Option<Invitation>> {
    diesel::update(auth_invitations::table)
        .filter(auth_invitations::token_hash.eq(hash).and(auth_invitations::ended_at.is_null()))
        .filter(auth_invitations::expires_at.gt(now))
        .set(auth_invitations::ended_at.eq(now))
        .returning(Invitation::as_returning())
        .get_result(conn)
        .await
        .optional()
}
