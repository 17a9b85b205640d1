use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::Page;
use serde_json::Value;
use uuid::Uuid;

use crate::tables::{webhook_deliveries, webhook_endpoints, webhook_events};

/// Where an organization wants to be told.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = webhook_endpoints, treat_none_as_null = true)]
pub struct Endpoint {
    pub id: Uuid,
    pub org_id: Uuid,
    pub url: String,
    pub description: Option<String>,
    /// Names of events.
    pub events: Vec<String>,
    /// A GraphQL query with `$id`.
    pub selection: Option<String>,
    /// Sealed.
    pub secret: String,
    /// Sealed; signs too until `old_until`.
    pub old_secret: Option<String>,
    pub old_until: Option<DateTime<Utc>>,
    /// Failed attempts in a row.
    pub failures: i32,
    pub stopped_at: Option<DateTime<Utc>>,
    pub created_by: Uuid,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = webhook_events)]
pub struct Event {
    pub id: Uuid,
    pub org_id: Uuid,
    pub name: String,
    pub subject_id: Uuid,
    pub facts: Value,
    pub occurred_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = webhook_deliveries, treat_none_as_null = true)]
pub struct Delivery {
    pub id: Uuid,
    pub org_id: Uuid,
    pub endpoint_id: Uuid,
    pub event_id: Uuid,
    /// Attempts made.
    pub attempt: i32,
    /// `pending`, `delivered` or `failed`.
    pub state: String,
    /// HTTP status of the last answer.
    pub status: Option<i32>,
    pub error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub tried_at: Option<DateTime<Utc>>,
    pub next_at: Option<DateTime<Utc>>,
}

pub async fn endpoints(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<Vec<Endpoint>> {
    webhook_endpoints::table
        .filter(webhook_endpoints::org_id.eq(org))
        .order(webhook_endpoints::id.desc())
        .select(Endpoint::as_select())
        .load(conn)
        .await
}

pub async fn endpoint(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<Endpoint>> {
    webhook_endpoints::table
        .find(id)
        .filter(webhook_endpoints::org_id.eq(org))
        .select(Endpoint::as_select())
        .for_update()
        .first(conn)
        .await
        .optional()
}

pub async fn insert_endpoint(conn: &mut AsyncPgConnection, endpoint: &Endpoint) -> QueryResult<usize> {
    diesel::insert_into(webhook_endpoints::table).values(endpoint).execute(conn).await
}

pub async fn save_endpoint(conn: &mut AsyncPgConnection, endpoint: &Endpoint) -> QueryResult<usize> {
    diesel::update(webhook_endpoints::table.find(endpoint.id)).set(endpoint).execute(conn).await
}

pub async fn delete_endpoint(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<bool> {
    let endpoint = webhook_endpoints::table.find(id).filter(webhook_endpoints::org_id.eq(org));
    Ok(diesel::delete(endpoint).execute(conn).await? == 1)
}

/// Keeps an event; false where it is kept already.
pub async fn insert_event(conn: &mut AsyncPgConnection, event: &Event) -> QueryResult<bool> {
    let added = diesel::insert_into(webhook_events::table).values(event).on_conflict_do_nothing().execute(conn).await?;
    Ok(added == 1)
}

pub async fn event(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<Event>> {
    webhook_events::table
        .find(id)
        .filter(webhook_events::org_id.eq(org))
        .select(Event::as_select())
        .first(conn)
        .await
        .optional()
}

/// Events of some names in a time, the oldest first.
pub async fn events_between(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    names: &[String],
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    most: i64,
) -> QueryResult<Vec<Event>> {
    webhook_events::table
        .filter(webhook_events::org_id.eq(org).and(webhook_events::name.eq_any(names)))
        .filter(webhook_events::occurred_at.ge(from).and(webhook_events::occurred_at.lt(to)))
        .order(webhook_events::id)
        .limit(most)
        .select(Event::as_select())
        .load(conn)
        .await
}

pub async fn insert_deliveries(conn: &mut AsyncPgConnection, deliveries: &[Delivery]) -> QueryResult<usize> {
    diesel::insert_into(webhook_deliveries::table).values(deliveries).execute(conn).await
}

pub async fn save_delivery(conn: &mut AsyncPgConnection, delivery: &Delivery) -> QueryResult<usize> {
    diesel::update(webhook_deliveries::table.find(delivery.id)).set(delivery).execute(conn).await
}

pub async fn delivery(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Option<Delivery>> {
    webhook_deliveries::table.find(id).select(Delivery::as_select()).first(conn).await.optional()
}

/// Deliveries to an endpoint with their events, the newest first.
pub async fn deliveries(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    endpoint: Uuid,
    page: Page,
) -> QueryResult<Vec<(Delivery, Event)>> {
    let mut query = webhook_deliveries::table
        .inner_join(webhook_events::table.on(webhook_events::id.eq(webhook_deliveries::event_id)))
        .filter(webhook_deliveries::org_id.eq(org).and(webhook_deliveries::endpoint_id.eq(endpoint)))
        .order(webhook_deliveries::id.desc())
        .select((Delivery::as_select(), Event::as_select()))
        .into_boxed();
    if let Some(after) = page.after {
        query = query.filter(webhook_deliveries::id.lt(after));
    }
    query.limit(page.limit + 1).load(conn).await
}

/// Deletes events from before a day, their deliveries with them.
pub async fn forget(conn: &mut AsyncPgConnection, before: DateTime<Utc>) -> QueryResult<usize> {
    diesel::delete(webhook_events::table.filter(webhook_events::occurred_at.lt(before))).execute(conn).await
}
