use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::Page;
use uuid::Uuid;

use crate::readers::{self, Reader, View};
use crate::tables::notification_items::{self, dsl};
use crate::tables::notification_reads;

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
    /// When its reader read it, once that was looked up; in the table, when the organization did as one.
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

/// Those that somebody sees, newest first.
pub async fn page(conn: &mut AsyncPgConnection, view: &View, page: Page) -> QueryResult<Vec<Item>> {
    let mut query = dsl::notification_items
        .filter(dsl::org_id.eq(view.reader.org_id).and(dsl::kind.ne_all(view.muted())))
        .select(Item::as_select())
        .order(dsl::id.desc())
        .into_boxed();
    if let Some(after) = page.after {
        query = query.filter(dsl::id.lt(after));
    }
    let mut items: Vec<Item> = query.limit(page.limit + 1).load(conn).await?;
    let ids: Vec<Uuid> = items.iter().map(|item| item.id).collect();
    let reads = readers::reads(conn, view.reader.user_id, &ids).await?;
    for item in &mut items {
        let all = view.reader.read_until.filter(|until| item.created_at <= *until);
        item.read_at = item.read_at.or_else(|| reads.get(&item.id).copied()).or(all);
    }
    Ok(items)
}

/// How many somebody has not read.
pub async fn unread(conn: &mut AsyncPgConnection, view: &View) -> QueryResult<i64> {
    let noted = notification_reads::table.filter(
        notification_reads::user_id.eq(view.reader.user_id).and(notification_reads::notification_id.eq(dsl::id)),
    );
    dsl::notification_items
        .filter(dsl::org_id.eq(view.reader.org_id).and(dsl::kind.ne_all(view.muted())))
        .filter(dsl::read_at.is_null().and(dsl::created_at.gt(view.read_until())))
        .filter(diesel::dsl::not(diesel::dsl::exists(noted)))
        .count()
        .get_result(conn)
        .await
}

/// What somebody has not read of the time since a moment: the newest, and how many there are.
pub async fn unread_since(
    conn: &mut AsyncPgConnection,
    view: &View,
    since: DateTime<Utc>,
    most: i64,
) -> QueryResult<(Vec<Item>, i64)> {
    let recent = View {
        reader: Reader { read_until: Some(view.read_until().max(since)), ..view.reader.clone() },
        choices: view.choices.clone(),
    };
    let count = unread(conn, &recent).await?;
    let all = page(conn, &recent, Page { after: None, limit: 100 }).await?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    Ok((all.into_iter().filter(|item| item.read_at.is_none()).take(most).collect(), count))
}

/// Whether something of a kind was said of a subject since a moment.
pub async fn was_told(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    kind: &str,
    subject: Uuid,
    since: DateTime<Utc>,
) -> QueryResult<bool> {
    let same = dsl::org_id.eq(org).and(dsl::kind.eq(kind)).and(dsl::subject_id.eq(subject));
    let recent = dsl::notification_items.filter(same.and(dsl::created_at.gt(since)));
    diesel::select(diesel::dsl::exists(recent)).get_result(conn).await
}

/// Deletes those of before a moment.
pub async fn forget(conn: &mut AsyncPgConnection, before: DateTime<Utc>) -> QueryResult<usize> {
    diesel::delete(dsl::notification_items.filter(dsl::created_at.lt(before))).execute(conn).await
}
