use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;

use crate::tables::{privacy_consents, privacy_erasures, privacy_exports};

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = privacy_exports, treat_none_as_null = true)]
pub struct Export {
    pub id: Uuid,
    pub org_id: Uuid,
    pub asked_by: Uuid,
    /// `pending`, `ready` or `failed`.
    pub state: String,
    pub object_id: Option<Uuid>,
    pub rows: Option<i64>,
    pub files: Option<i64>,
    pub asked_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}

/// That an organization was erased; its id is all that is left of it, and names nothing any more.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = privacy_erasures, treat_none_as_null = true)]
pub struct Erasure {
    pub id: Uuid,
    pub organization: Uuid,
    pub asked_at: DateTime<Utc>,
    pub erased_at: Option<DateTime<Utc>>,
    /// Rows by table.
    pub deleted: Value,
    pub kept: Value,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = privacy_consents)]
pub struct Consent {
    pub id: Uuid,
    pub org_id: Uuid,
    pub user_id: Uuid,
    pub purpose: String,
    /// Of the text that was agreed to.
    pub version: String,
    pub given_at: DateTime<Utc>,
    pub withdrawn_at: Option<DateTime<Utc>>,
}

pub async fn insert_export(conn: &mut AsyncPgConnection, export: &Export) -> QueryResult<usize> {
    diesel::insert_into(privacy_exports::table).values(export).execute(conn).await
}

pub async fn save_export(conn: &mut AsyncPgConnection, export: &Export) -> QueryResult<usize> {
    diesel::update(privacy_exports::table.find(export.id)).set(export).execute(conn).await
}

pub async fn export(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Option<Export>> {
    privacy_exports::table.find(id).select(Export::as_select()).first(conn).await.optional()
}

pub async fn exports(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<Vec<Export>> {
    privacy_exports::table
        .filter(privacy_exports::org_id.eq(org))
        .order(privacy_exports::id.desc())
        .limit(50)
        .select(Export::as_select())
        .load(conn)
        .await
}

/// Takes away exports from before a moment.
pub async fn take_old_exports(conn: &mut AsyncPgConnection, before: DateTime<Utc>) -> QueryResult<Vec<Export>> {
    diesel::delete(privacy_exports::table.filter(privacy_exports::asked_at.lt(before)))
        .returning(Export::as_returning())
        .get_results(conn)
        .await
}

pub async fn insert_erasure(conn: &mut AsyncPgConnection, erasure: &Erasure) -> QueryResult<usize> {
    diesel::insert_into(privacy_erasures::table).values(erasure).execute(conn).await
}

pub async fn save_erasure(conn: &mut AsyncPgConnection, erasure: &Erasure) -> QueryResult<usize> {
    diesel::update(privacy_erasures::table.find(erasure.id)).set(erasure).execute(conn).await
}

pub async fn erasure(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Option<Erasure>> {
    privacy_erasures::table.find(id).select(Erasure::as_select()).first(conn).await.optional()
}

/// Organizations that were erased since a moment.
pub async fn erased_since(conn: &mut AsyncPgConnection, since: DateTime<Utc>) -> QueryResult<Vec<Uuid>> {
    privacy_erasures::table
        .filter(privacy_erasures::erased_at.ge(since))
        .select(privacy_erasures::organization)
        .load(conn)
        .await
}

/// Erasures of which something is still kept.
pub async fn with_holds(conn: &mut AsyncPgConnection) -> QueryResult<Vec<Erasure>> {
    privacy_erasures::table
        .filter(privacy_erasures::kept.ne(serde_json::json!([])))
        .select(Erasure::as_select())
        .load(conn)
        .await
}

pub async fn consents(conn: &mut AsyncPgConnection, user: Uuid) -> QueryResult<Vec<Consent>> {
    privacy_consents::table
        .filter(privacy_consents::user_id.eq(user))
        .order(privacy_consents::id.desc())
        .limit(200)
        .select(Consent::as_select())
        .load(conn)
        .await
}

pub async fn insert_consent(conn: &mut AsyncPgConnection, consent: &Consent) -> QueryResult<usize> {
    diesel::insert_into(privacy_consents::table).values(consent).execute(conn).await
}

pub async fn withdraw(
    conn: &mut AsyncPgConnection,
    user: Uuid,
    purpose: &str,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::update(privacy_consents::table)
        .filter(privacy_consents::user_id.eq(user).and(privacy_consents::purpose.eq(purpose)))
        .filter(privacy_consents::withdrawn_at.is_null())
        .set(privacy_consents::withdrawn_at.eq(now))
        .execute(conn)
        .await
}
