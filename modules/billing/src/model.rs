use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::Page;
use serde_json::Value;
use uuid::Uuid;

use crate::tables::{
    billing_customers, billing_differences, billing_events, billing_invoices, billing_notes, billing_subscriptions,
};

/// Whom Stripe knows an organization as.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = billing_customers, treat_none_as_null = true)]
pub struct Customer {
    pub org_id: Uuid,
    pub customer_id: String,
    /// The last checkout that was begun.
    pub open_session: Option<String>,
    /// Number of the last read that was begun.
    pub asked: i64,
    /// Number of the last read that was applied.
    pub applied: i64,
    pub created_by: Uuid,
    pub created_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = billing_subscriptions, treat_none_as_null = true)]
pub struct Subscription {
    pub stripe_id: String,
    pub org_id: Uuid,
    /// As Stripe calls it.
    pub status: String,
    /// None for a price that is none of ours.
    pub plan: Option<String>,
    pub price_id: String,
    pub item_id: String,
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
    pub trial_end: Option<DateTime<Utc>>,
    pub cancel_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    pub grace_ends_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

impl Subscription {
    /// Whether it gives a plan, as long as nobody's patience is at its end.
    pub fn is_live(&self) -> bool {
        matches!(self.status.as_str(), "trialing" | "active" | "past_due" | "unpaid")
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = billing_invoices, treat_none_as_null = true)]
pub struct Invoice {
    pub id: Uuid,
    pub org_id: Uuid,
    pub stripe_id: String,
    pub subscription_id: Option<String>,
    pub number: Option<String>,
    pub status: String,
    pub currency: String,
    pub net_cents: i64,
    pub total_cents: i64,
    pub paid_cents: i64,
    pub due_cents: i64,
    pub attempts: i32,
    pub issued_at: DateTime<Utc>,
    pub finalized_at: Option<DateTime<Utc>>,
    pub paid_at: Option<DateTime<Utc>>,
    pub next_attempt_at: Option<DateTime<Utc>>,
    pub hosted_url: Option<String>,
    pub pdf_url: Option<String>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = billing_events)]
pub struct Event {
    pub id: String,
    pub org_id: Option<Uuid>,
    pub customer_id: Option<String>,
    pub kind: String,
    pub object_id: Option<String>,
    pub payload: Value,
    pub happened_at: DateTime<Utc>,
    pub received_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = billing_notes)]
pub struct Note {
    pub id: Uuid,
    pub org_id: Uuid,
    pub kind: String,
    pub stripe_id: String,
    pub amount_cents: Option<i64>,
    pub currency: Option<String>,
    pub reason: Option<String>,
    pub noted_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = billing_differences)]
pub struct Difference {
    pub id: Uuid,
    pub org_id: Uuid,
    pub customer_id: String,
    pub stripe_id: String,
    pub field: String,
    pub ours: Option<String>,
    pub theirs: Option<String>,
    pub found_at: DateTime<Utc>,
}

pub async fn customer(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<Option<Customer>> {
    billing_customers::table.find(org).select(Customer::as_select()).first(conn).await.optional()
}

/// Of whichever organization.
pub async fn known_as(conn: &mut AsyncPgConnection, customer: &str) -> QueryResult<Option<Customer>> {
    let known = billing_customers::table.filter(billing_customers::customer_id.eq(customer));
    known.select(Customer::as_select()).first(conn).await.optional()
}

pub async fn lock_customer(conn: &mut AsyncPgConnection, customer: &str) -> QueryResult<Option<Customer>> {
    let known = billing_customers::table.filter(billing_customers::customer_id.eq(customer));
    known.select(Customer::as_select()).for_update().first(conn).await.optional()
}

/// Takes the number of a read that begins now.
pub async fn begin_read(conn: &mut AsyncPgConnection, customer: &str) -> QueryResult<Option<Customer>> {
    diesel::update(billing_customers::table.filter(billing_customers::customer_id.eq(customer)))
        .set(billing_customers::asked.eq(billing_customers::asked + 1))
        .returning(Customer::as_returning())
        .get_result(conn)
        .await
        .optional()
}

/// The customer of an organization, in place of one that was deleted; one that is there stays.
pub async fn upsert_customer(conn: &mut AsyncPgConnection, customer: &Customer) -> QueryResult<()> {
    diesel::delete(billing_customers::table.find(customer.org_id).filter(billing_customers::deleted_at.is_not_null()))
        .execute(conn)
        .await?;
    diesel::insert_into(billing_customers::table).values(customer).on_conflict_do_nothing().execute(conn).await?;
    Ok(())
}

pub async fn applied(conn: &mut AsyncPgConnection, customer: &Customer) -> QueryResult<usize> {
    diesel::update(billing_customers::table.find(customer.org_id))
        .set((billing_customers::applied.eq(customer.applied), billing_customers::deleted_at.eq(customer.deleted_at)))
        .execute(conn)
        .await
}

pub async fn set_session(conn: &mut AsyncPgConnection, org: Uuid, session: &str) -> QueryResult<usize> {
    diesel::update(billing_customers::table.find(org))
        .set(billing_customers::open_session.eq(session))
        .execute(conn)
        .await
}

/// Customers of all organizations that Stripe still knows, a page in the order of organizations.
pub async fn customers_after(conn: &mut AsyncPgConnection, after: Option<Uuid>) -> QueryResult<Vec<Customer>> {
    let mut query = billing_customers::table
        .filter(billing_customers::deleted_at.is_null())
        .order(billing_customers::org_id)
        .limit(500)
        .select(Customer::as_select())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(billing_customers::org_id.gt(after));
    }
    query.load(conn).await
}

/// The newest first.
pub async fn subscriptions(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<Vec<Subscription>> {
    billing_subscriptions::table
        .filter(billing_subscriptions::org_id.eq(org))
        .order((billing_subscriptions::created_at.desc(), billing_subscriptions::stripe_id.desc()))
        .select(Subscription::as_select())
        .load(conn)
        .await
}

pub async fn save_subscription(conn: &mut AsyncPgConnection, row: &Subscription) -> QueryResult<usize> {
    diesel::insert_into(billing_subscriptions::table)
        .values(row)
        .on_conflict(billing_subscriptions::stripe_id)
        .do_update()
        .set(row)
        .execute(conn)
        .await
}

pub async fn invoices(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<Vec<Invoice>> {
    let mine = billing_invoices::table.filter(billing_invoices::org_id.eq(org));
    mine.order(billing_invoices::id.desc()).select(Invoice::as_select()).load(conn).await
}

pub async fn invoice_page(conn: &mut AsyncPgConnection, org: Uuid, page: Page) -> QueryResult<Vec<Invoice>> {
    let mut query = billing_invoices::table
        .filter(billing_invoices::org_id.eq(org).and(billing_invoices::status.ne("draft")))
        .order(billing_invoices::id.desc())
        .select(Invoice::as_select())
        .into_boxed();
    if let Some(after) = page.after {
        query = query.filter(billing_invoices::id.lt(after));
    }
    query.limit(page.limit + 1).load(conn).await
}

pub async fn save_invoice(conn: &mut AsyncPgConnection, row: &Invoice) -> QueryResult<usize> {
    diesel::insert_into(billing_invoices::table)
        .values(row)
        .on_conflict(billing_invoices::stripe_id)
        .do_update()
        .set(row)
        .execute(conn)
        .await
}

/// Keeps an event; false where it is kept already.
pub async fn insert_event(conn: &mut AsyncPgConnection, event: &Event) -> QueryResult<bool> {
    let added = diesel::insert_into(billing_events::table).values(event).on_conflict_do_nothing().execute(conn).await?;
    Ok(added == 1)
}

/// Events that came since a moment and are of a customer of ours, or may be; the oldest first.
pub async fn events_since(
    conn: &mut AsyncPgConnection,
    since: DateTime<Utc>,
    customer: Option<&str>,
) -> QueryResult<Vec<Event>> {
    let mut query = billing_events::table
        .filter(
            billing_events::received_at
                .ge(since)
                .and(billing_events::customer_id.is_not_null().or(billing_events::kind.like("charge.dispute.%"))),
        )
        .order((billing_events::happened_at, billing_events::id))
        .select(Event::as_select())
        .into_boxed();
    if let Some(customer) = customer {
        query = query.filter(billing_events::customer_id.eq(customer));
    }
    query.load(conn).await
}

pub async fn forget_events(conn: &mut AsyncPgConnection, before: DateTime<Utc>) -> QueryResult<usize> {
    diesel::delete(billing_events::table.filter(billing_events::received_at.lt(before))).execute(conn).await
}

/// Notes something of Stripe's once; false where it is noted already.
pub async fn insert_note(conn: &mut AsyncPgConnection, note: &Note) -> QueryResult<bool> {
    let added = diesel::insert_into(billing_notes::table).values(note).on_conflict_do_nothing().execute(conn).await?;
    Ok(added == 1)
}

pub async fn insert_differences(conn: &mut AsyncPgConnection, rows: &[Difference]) -> QueryResult<usize> {
    diesel::insert_into(billing_differences::table).values(rows).execute(conn).await
}

/// Of all organizations, the newest first.
pub async fn differences(conn: &mut AsyncPgConnection, page: Page) -> QueryResult<Vec<Difference>> {
    let mut query =
        billing_differences::table.order(billing_differences::id.desc()).select(Difference::as_select()).into_boxed();
    if let Some(after) = page.after {
        query = query.filter(billing_differences::id.lt(after));
    }
    query.limit(page.limit + 1).load(conn).await
}
