use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use super::FeedFormat;
use crate::tables::publication_feeds::{self, dsl};

/// A feed as stored.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = publication_feeds)]
pub struct Feed {
    pub id: Uuid,
    pub org_id: Uuid,
    pub format: String,
    /// Who knows it may fetch the feed.
    pub key: String,
    /// The last good file, and the cars in it.
    pub object_id: Option<Uuid>,
    pub cars: i32,
    pub built_at: Option<DateTime<Utc>>,
    /// Cars of a later one that is held back.
    pub refused_cars: Option<i32>,
    pub refused_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

/// The feed of a format, made where there is none.
pub async fn upsert(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    format: FeedFormat,
    now: DateTime<Utc>,
) -> QueryResult<Feed> {
    let feed = Feed {
        id: Uuid::now_v7(),
        org_id: org,
        format: format.as_str().to_owned(),
        key: hex::encode(rand::random::<[u8; 16]>()),
        object_id: None,
        cars: 0,
        built_at: None,
        refused_cars: None,
        refused_at: None,
        created_at: now,
    };
    diesel::insert_into(dsl::publication_feeds)
        .values(&feed)
        .on_conflict((dsl::org_id, dsl::format))
        .do_update()
        .set(dsl::format.eq(format.as_str()))
        .returning(Feed::as_returning())
        .get_result(conn)
        .await
}

pub async fn of_org(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<Vec<Feed>> {
    dsl::publication_feeds.filter(dsl::org_id.eq(org)).order(dsl::id).select(Feed::as_select()).load(conn).await
}

pub async fn find(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<Feed>> {
    let mine = dsl::publication_feeds.filter(dsl::org_id.eq(org).and(dsl::id.eq(id)));
    mine.select(Feed::as_select()).first(conn).await.optional()
}

/// [`find`], locked until the transaction ends.
pub async fn lock(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<Feed>> {
    let mine = dsl::publication_feeds.filter(dsl::org_id.eq(org).and(dsl::id.eq(id)));
    mine.select(Feed::as_select()).for_update().first(conn).await.optional()
}

pub async fn by_key(conn: &mut AsyncPgConnection, key: &str) -> QueryResult<Option<Feed>> {
    dsl::publication_feeds.filter(dsl::key.eq(key)).select(Feed::as_select()).first(conn).await.optional()
}

/// Feeds of everybody, in the order of their ids.
pub async fn page(conn: &mut AsyncPgConnection, after: Option<Uuid>, most: i64) -> QueryResult<Vec<Feed>> {
    dsl::publication_feeds
        .filter(dsl::id.gt(after.unwrap_or_default()))
        .order(dsl::id)
        .limit(most)
        .select(Feed::as_select())
        .load(conn)
        .await
}

/// Saves what the last building came to.
pub async fn save(conn: &mut AsyncPgConnection, feed: &Feed) -> QueryResult<usize> {
    diesel::update(dsl::publication_feeds.find(feed.id))
        .set((
            dsl::object_id.eq(feed.object_id),
            dsl::cars.eq(feed.cars),
            dsl::built_at.eq(feed.built_at),
            dsl::refused_cars.eq(feed.refused_cars),
            dsl::refused_at.eq(feed.refused_at),
        ))
        .execute(conn)
        .await
}

pub async fn delete(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<usize> {
    diesel::delete(dsl::publication_feeds.filter(dsl::org_id.eq(org).and(dsl::id.eq(id)))).execute(conn).await
}
