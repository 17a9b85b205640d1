use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::Page;
use keroxio_plugin_documents::chain::Sealed;
use keroxio_plugin_documents::register::Entry;
use serde_json::Value;
use uuid::Uuid;

use crate::tables::{documents_register, documents_register_heads};

/// An entry of the police register as stored.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = documents_register)]
pub struct RegisterRow {
    pub id: Uuid,
    pub org_id: Uuid,
    pub site_id: Uuid,
    pub number: i64,
    pub entry: Value,
    pub version: i16,
    pub previous: String,
    pub hash: String,
    pub recorded_at: DateTime<Utc>,
    pub vehicle_id: Option<Uuid>,
    pub recorded_by: Uuid,
}

impl RegisterRow {
    /// The entry with its seal; none where the row no longer says what was sealed, whatever its hash.
    pub fn sealed(&self) -> Option<Sealed> {
        let entry: Entry = serde_json::from_value(self.entry.clone()).ok()?;
        // Nor may it say the same in other words: the entry is read to the letter.
        let is_itself = serde_json::to_value(&entry).ok().as_ref() == Some(&self.entry)
            && i64::try_from(entry.number) == Ok(self.number)
            && entry.site == self.site_id.to_string()
            && entry.recorded_at == self.recorded_at;
        let sealed = Sealed {
            entry,
            version: u16::try_from(self.version).ok()?,
            previous: self.previous.parse().ok()?,
            hash: self.hash.parse().ok()?,
        };
        is_itself.then_some(sealed)
    }
}

/// Where the register of a site ends.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = documents_register_heads)]
pub struct Head {
    pub site_id: Uuid,
    pub org_id: Uuid,
    pub site_name: String,
    pub site_address: String,
    pub count: i64,
    pub last_hash: String,
    pub last_at: DateTime<Utc>,
}

/// The end of a register, held until the transaction ends; it begins with this one where there is none.
pub async fn hold_head(conn: &mut AsyncPgConnection, first: &Head) -> QueryResult<Head> {
    diesel::insert_into(documents_register_heads::table).values(first).on_conflict_do_nothing().execute(conn).await?;
    documents_register_heads::table.find(first.site_id).select(Head::as_select()).for_update().first(conn).await
}

pub async fn head(conn: &mut AsyncPgConnection, site: Uuid) -> QueryResult<Option<Head>> {
    documents_register_heads::table.find(site).select(Head::as_select()).first(conn).await.optional()
}

pub async fn save_head(conn: &mut AsyncPgConnection, head: &Head) -> QueryResult<usize> {
    diesel::update(documents_register_heads::table.find(head.site_id)).set(head).execute(conn).await
}

pub async fn insert_entry(conn: &mut AsyncPgConnection, row: &RegisterRow) -> QueryResult<usize> {
    diesel::insert_into(documents_register::table).values(row).execute(conn).await
}

/// When entries of a register were written: from a moment on, until before another.
pub type Period = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// Entries of a register, the latest first.
pub async fn entries(
    conn: &mut AsyncPgConnection,
    (org, site): (Uuid, Uuid),
    (from, until): Period,
    page: Page,
) -> QueryResult<Vec<RegisterRow>> {
    let mut query = documents_register::table
        .filter(documents_register::org_id.eq(org).and(documents_register::site_id.eq(site)))
        .order(documents_register::number.desc())
        .select(RegisterRow::as_select())
        .into_boxed();
    if let Some(from) = from {
        query = query.filter(documents_register::recorded_at.ge(from));
    }
    if let Some(until) = until {
        query = query.filter(documents_register::recorded_at.lt(until));
    }
    if let Some(after) = page.after {
        let last = documents_register::table.find(after).filter(documents_register::site_id.eq(site));
        let last: Option<i64> = last.select(documents_register::number).first(conn).await.optional()?;
        query = query.filter(documents_register::number.lt(last.unwrap_or(0)));
    }
    query.limit(page.limit + 1).load(conn).await
}

/// Entries of a register after a number, in order.
pub async fn entries_after(
    conn: &mut AsyncPgConnection,
    site: Uuid,
    number: i64,
    most: i64,
) -> QueryResult<Vec<RegisterRow>> {
    documents_register::table
        .filter(documents_register::site_id.eq(site).and(documents_register::number.gt(number)))
        .order(documents_register::number)
        .limit(most)
        .select(RegisterRow::as_select())
        .load(conn)
        .await
}

/// Entries of a register written in a time, in order, and at most so many.
pub async fn entries_between(
    conn: &mut AsyncPgConnection,
    site: Uuid,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    most: i64,
) -> QueryResult<Vec<RegisterRow>> {
    documents_register::table
        .filter(documents_register::site_id.eq(site))
        .filter(documents_register::recorded_at.ge(from).and(documents_register::recorded_at.lt(until)))
        .order(documents_register::number)
        .limit(most)
        .select(RegisterRow::as_select())
        .load(conn)
        .await
}

pub async fn entry(
    conn: &mut AsyncPgConnection,
    (org, site): (Uuid, Uuid),
    number: i64,
) -> QueryResult<Option<RegisterRow>> {
    documents_register::table
        .filter(documents_register::org_id.eq(org).and(documents_register::site_id.eq(site)))
        .filter(documents_register::number.eq(number))
        .select(RegisterRow::as_select())
        .first(conn)
        .await
        .optional()
}

/// The last entry of a register before a moment.
pub async fn last_before(
    conn: &mut AsyncPgConnection,
    site: Uuid,
    before: DateTime<Utc>,
) -> QueryResult<Option<RegisterRow>> {
    documents_register::table
        .filter(documents_register::site_id.eq(site).and(documents_register::recorded_at.lt(before)))
        .order(documents_register::number.desc())
        .select(RegisterRow::as_select())
        .first(conn)
        .await
        .optional()
}

/// Entries about a car, in whichever register, the first written first.
pub async fn entries_of(conn: &mut AsyncPgConnection, org: Uuid, vehicle: Uuid) -> QueryResult<Vec<RegisterRow>> {
    documents_register::table
        .filter(documents_register::org_id.eq(org).and(documents_register::vehicle_id.eq(vehicle)))
        .order((documents_register::recorded_at, documents_register::number))
        .select(RegisterRow::as_select())
        .load(conn)
        .await
}
