use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;

use crate::tables::storage_objects::{self, dsl};
use crate::tables::storage_passing;

/// A stored file.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = storage_objects)]
pub struct Object {
    pub id: Uuid,
    pub org_id: Uuid,
    pub key: String,
    pub media_type: String,
    pub bytes: i64,
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub sha256: String,
    pub created_at: DateTime<Utc>,
    /// By which anybody may see it; see [`crate::public`].
    pub public_key: Option<String>,
    /// The [`crate::MaskingDecision`] that made it public.
    pub masking: Option<Value>,
}

/// The row of this content, new or already there.
pub async fn upsert(conn: &mut AsyncPgConnection, object: &Object) -> QueryResult<Object> {
    diesel::insert_into(dsl::storage_objects)
        .values(object)
        .on_conflict((dsl::org_id, dsl::sha256))
        .do_update()
        .set(dsl::sha256.eq(&object.sha256))
        .returning(Object::as_returning())
        .get_result(conn)
        .await
}

pub async fn find(conn: &mut AsyncPgConnection, org: Uuid, ids: &[Uuid]) -> QueryResult<Vec<Object>> {
    dsl::storage_objects
        .filter(dsl::org_id.eq(org).and(dsl::id.eq_any(ids)))
        .select(Object::as_select())
        .load(conn)
        .await
}

/// Objects of any organization: the caller looks whose they are.
pub async fn with_ids(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> QueryResult<Vec<Object>> {
    dsl::storage_objects.filter(dsl::id.eq_any(ids)).select(Object::as_select()).load(conn).await
}

/// Whatever its organization: only for a caller that holds a valid signature.
pub async fn find_signed(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Option<Object>> {
    dsl::storage_objects.find(id).select(Object::as_select()).first(conn).await.optional()
}

/// Deletes a row; answers where its file is.
pub async fn delete(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<String>> {
    let mine = dsl::storage_objects.filter(dsl::org_id.eq(org).and(dsl::id.eq(id)));
    let key: Option<String> = diesel::delete(mine).returning(dsl::key).get_result(conn).await.optional()?;
    if let Some(key) = &key {
        diesel::delete(storage_passing::table.find(key)).execute(conn).await?;
    }
    Ok(key)
}

/// Forgets every object of an organization that is no more.
pub async fn delete_all(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<usize> {
    diesel::delete(dsl::storage_objects.filter(dsl::org_id.eq(org))).execute(conn).await
}

/// A file is about to be written that is to be deleted soon.
pub async fn note_passing(conn: &mut AsyncPgConnection, key: &str, at: DateTime<Utc>) -> QueryResult<usize> {
    let row = (storage_passing::key.eq(key), storage_passing::stored_at.eq(at));
    diesel::insert_into(storage_passing::table).values(row).execute(conn).await
}

/// Forgets passing files, and their rows, that nobody came for since before then; answers where they are.
pub async fn take_forgotten(conn: &mut AsyncPgConnection, before: DateTime<Utc>) -> QueryResult<Vec<String>> {
    let old = storage_passing::table.filter(storage_passing::stored_at.lt(before));
    let keys: Vec<String> = diesel::delete(old).returning(storage_passing::key).get_results(conn).await?;
    diesel::delete(dsl::storage_objects.filter(dsl::key.eq_any(&keys))).execute(conn).await?;
    Ok(keys)
}

/// Whatever the connection may see: only for one of a tenant.
pub async fn all_visible(conn: &mut AsyncPgConnection) -> QueryResult<Vec<Object>> {
    dsl::storage_objects.order(dsl::id.desc()).select(Object::as_select()).load(conn).await
}
