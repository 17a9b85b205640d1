use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::Page;
use uuid::Uuid;

use crate::tables::notification_items::{self, dsl};

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = notification_items)]
pub struct Item {
    pub id: Uuid,
    pub org_id: Uuid,
    pub kind: String,
    pub title_fr: String,
    pub title_en: String,
    pub subject_id: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    pub read_at: Option<DateTime<Utc>>,
}

pub async fn insert(conn: &mut AsyncPgConnection, item: &Item) -> QueryResult<usize> {
    diesel::insert_into(dsl::notification_items).values(item).execute(conn).await
}

pub async fn find(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<Item>> {
    dsl::notification_items
        .filter(dsl::org_id.eq(org).and(dsl::id.eq(id)))
        .select(Item::as_select())
        .first(conn)
        .await
        .optional()
}

pub async fn page(conn: &mut AsyncPgConnection, org: Uuid, page: Page) -> QueryResult<Vec<Item>> {
    let mut query = dsl::notification_items
        .filter(dsl::org_id.eq(org))
        .select(Item::as_select())
        .order(dsl::id.desc())
        .into_boxed();
    if let Some(after) = page.after {
        query = query.filter(dsl::id.lt(after));
    }
    query.limit(page.limit + 1).load(conn).await
}

pub async fn unread(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<i64> {
    dsl::notification_items.filter(dsl::org_id.eq(org).and(dsl::read_at.is_null())).count().get_result(conn).await
}

pub async fn mark_read(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::update(dsl::notification_items)
        .filter(dsl::org_id.eq(org).and(dsl::id.eq_any(ids)).and(dsl::read_at.is_null()))
        .set(dsl::read_at.eq(now))
        .execute(conn)
        .await
}
