use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::tables::{auth_api_keys, auth_organizations};

/// The key of an integrator's program.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = auth_api_keys)]
pub struct ApiKey {
    pub id: Uuid,
    pub org_id: Uuid,
    pub name: String,
    pub prefix: String,
    pub key_hash: String,
    pub scopes: Vec<String>,
    pub cost_capacity: Option<i32>,
    pub cost_per_second: Option<i32>,
    pub created_by: Uuid,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    pub last_used_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
}

pub async fn insert_key(conn: &mut AsyncPgConnection, key: &ApiKey) -> QueryResult<usize> {
    diesel::insert_into(auth_api_keys::table).values(key).execute(conn).await
}

pub async fn keys(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<Vec<ApiKey>> {
    auth_api_keys::table
        .filter(auth_api_keys::org_id.eq(org))
        // Those that work, of which there are few, before any that do not: none of them hides behind others.
        .order((auth_api_keys::revoked_at.desc().nulls_first(), auth_api_keys::id.desc()))
        .limit(200)
        .select(ApiKey::as_select())
        .load(conn)
        .await
}

/// The keys somebody made that are not revoked.
pub async fn keys_by(conn: &mut AsyncPgConnection, org: Uuid, user: Uuid) -> QueryResult<Vec<ApiKey>> {
    auth_api_keys::table
        .filter(auth_api_keys::org_id.eq(org).and(auth_api_keys::created_by.eq(user)))
        .filter(auth_api_keys::revoked_at.is_null())
        .select(ApiKey::as_select())
        .load(conn)
        .await
}

pub async fn valid_keys(conn: &mut AsyncPgConnection, org: Uuid, now: DateTime<Utc>) -> QueryResult<i64> {
    auth_api_keys::table
        .filter(auth_api_keys::org_id.eq(org).and(auth_api_keys::revoked_at.is_null()))
        .filter(auth_api_keys::expires_at.is_null().or(auth_api_keys::expires_at.gt(now)))
        .count()
        .get_result(conn)
        .await
}

/// A key, and since when its organization is on hold.
pub async fn key_by_hash(
    conn: &mut AsyncPgConnection,
    hash: &str,
) -> QueryResult<Option<(ApiKey, Option<DateTime<Utc>>)>> {
    auth_api_keys::table
        .inner_join(auth_organizations::table.on(auth_organizations::id.eq(auth_api_keys::org_id)))
        .filter(auth_api_keys::key_hash.eq(hash))
        .select((ApiKey::as_select(), auth_organizations::suspended_at))
        .first(conn)
        .await
        .optional()
}

pub async fn lock_key(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<ApiKey>> {
    auth_api_keys::table
        .find(id)
        .filter(auth_api_keys::org_id.eq(org))
        .select(ApiKey::as_select())
        .for_update()
        .first(conn)
        .await
        .optional()
}

/// Until when a key still works.
pub async fn expire_key(conn: &mut AsyncPgConnection, id: Uuid, at: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(auth_api_keys::table.find(id)).set(auth_api_keys::expires_at.eq(at)).execute(conn).await
}

pub async fn revoke_key(conn: &mut AsyncPgConnection, id: Uuid, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(auth_api_keys::table.find(id)).set(auth_api_keys::revoked_at.eq(now)).execute(conn).await
}

pub async fn key_used(conn: &mut AsyncPgConnection, id: Uuid, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(auth_api_keys::table.find(id)).set(auth_api_keys::last_used_at.eq(now)).execute(conn).await
}
