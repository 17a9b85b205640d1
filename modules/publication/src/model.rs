use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;

use crate::tables::publication_packs::{self, dsl};

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = publication_packs)]
pub struct Pack {
    pub id: Uuid,
    pub org_id: Uuid,
    pub listing_id: Uuid,
    pub channel: String,
    pub title: String,
    pub body: String,
    pub fields: Value,
    /// `prepared`, `published` or `withdrawn`.
    pub state: String,
    pub ad_url: Option<String>,
    pub external_id: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub published_at: Option<DateTime<Utc>>,
    pub withdrawn_at: Option<DateTime<Utc>>,
    /// When the car was sold or withdrawn: the ad has to go from then on.
    pub sold_at: Option<DateTime<Utc>>,
    /// When the seller was last reminded of what is to be done there.
    pub reminded_at: Option<DateTime<Utc>>,
}

/// Inserts the pack, or refreshes its texts; what the seller published stays.
pub async fn upsert(conn: &mut AsyncPgConnection, pack: &Pack) -> QueryResult<usize> {
    diesel::insert_into(dsl::publication_packs)
        .values(pack)
        .on_conflict((dsl::listing_id, dsl::channel))
        .do_update()
        .set((
            dsl::title.eq(&pack.title),
            dsl::body.eq(&pack.body),
            dsl::fields.eq(&pack.fields),
            dsl::updated_at.eq(pack.updated_at),
        ))
        .execute(conn)
        .await
}

pub async fn of_listing(conn: &mut AsyncPgConnection, org: Uuid, listing: Uuid) -> QueryResult<Vec<Pack>> {
    dsl::publication_packs
        .filter(dsl::org_id.eq(org).and(dsl::listing_id.eq(listing)))
        .select(Pack::as_select())
        .load(conn)
        .await
}

/// The listing that an organization published on a portal under the portal's number.
pub async fn listing_published_as(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    channel: &str,
    external_id: &str,
) -> QueryResult<Option<Uuid>> {
    dsl::publication_packs
        .filter(dsl::org_id.eq(org).and(dsl::channel.eq(channel)).and(dsl::external_id.eq(external_id)))
        .order(dsl::published_at.desc())
        .select(dsl::listing_id)
        .first(conn)
        .await
        .optional()
}

pub async fn lock(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<Pack>> {
    dsl::publication_packs
        .filter(dsl::org_id.eq(org).and(dsl::id.eq(id)))
        .select(Pack::as_select())
        .for_update()
        .first(conn)
        .await
        .optional()
}

/// Saves where the ad stands.
pub async fn save(conn: &mut AsyncPgConnection, pack: &Pack) -> QueryResult<usize> {
    diesel::update(dsl::publication_packs.find(pack.id))
        .set((
            dsl::state.eq(&pack.state),
            dsl::ad_url.eq(&pack.ad_url),
            dsl::external_id.eq(&pack.external_id),
            dsl::updated_at.eq(pack.updated_at),
            dsl::published_at.eq(pack.published_at),
            dsl::withdrawn_at.eq(pack.withdrawn_at),
            dsl::sold_at.eq(pack.sold_at),
            dsl::reminded_at.eq(pack.reminded_at),
        ))
        .execute(conn)
        .await
}

/// The packs of a listing, locked; for a job, which acts for the listing itself and not for a caller.
pub async fn lock_all(conn: &mut AsyncPgConnection, listing: Uuid) -> QueryResult<Vec<Pack>> {
    dsl::publication_packs
        .filter(dsl::listing_id.eq(listing))
        .order(dsl::id)
        .select(Pack::as_select())
        .for_update()
        .load(conn)
        .await
}

/// Whether an ad of a listing is on a portal.
pub async fn is_published(conn: &mut AsyncPgConnection, listing: Uuid) -> QueryResult<bool> {
    let online = dsl::publication_packs.filter(dsl::listing_id.eq(listing).and(dsl::state.eq("published")));
    diesel::select(diesel::dsl::exists(online)).get_result(conn).await
}

/// Ads that are online, in the order of their ids, locked; those that somebody changes now wait for the next look.
pub async fn online(conn: &mut AsyncPgConnection, after: Option<Uuid>, most: i64) -> QueryResult<Vec<Pack>> {
    dsl::publication_packs
        .filter(dsl::state.eq("published").and(dsl::id.gt(after.unwrap_or_default())))
        .select(Pack::as_select())
        .order(dsl::id)
        .limit(most)
        .for_update()
        .skip_locked()
        .load(conn)
        .await
}
