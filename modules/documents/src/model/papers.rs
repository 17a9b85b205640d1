use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::{Page, Result};
use keroxio_plugin_documents::Sale;
use serde_json::Value;
use uuid::Uuid;

use crate::kinds::{PaperKind, PaperState};
use crate::tables::{documents_originals, documents_papers, documents_series};

/// A quote, an invoice or a credit note.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = documents_papers, treat_none_as_null = true)]
pub struct Paper {
    pub id: Uuid,
    pub org_id: Uuid,
    pub kind: String,
    pub state: String,
    pub number: Option<String>,
    pub sale: Value,
    pub vehicle_id: Option<Uuid>,
    pub listing_id: Option<Uuid>,
    pub contact_id: Option<Uuid>,
    pub credits_id: Option<Uuid>,
    pub quote_id: Option<Uuid>,
    pub net_cents: i64,
    pub vat_cents: i64,
    pub gross_cents: i64,
    pub margin_vat_cents: i64,
    pub issued_on: Option<NaiveDate>,
    pub issued_at: Option<DateTime<Utc>>,
    pub pdf_sha256: Option<String>,
    pub created_by: Uuid,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Paper {
    pub fn kind(&self) -> PaperKind {
        PaperKind::stored(&self.kind)
    }

    pub fn state(&self) -> PaperState {
        PaperState::stored(&self.state)
    }

    pub fn sale(&self) -> Result<Sale> {
        Ok(serde_json::from_value(self.sale.clone())?)
    }
}

/// The counter of a series.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = documents_series)]
pub struct Counter {
    pub org_id: Uuid,
    pub series: String,
    pub year: i32,
    pub last: i32,
    pub last_on: NaiveDate,
}

/// The file of an issued paper.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = documents_originals)]
pub struct Original {
    pub paper_id: Uuid,
    pub org_id: Uuid,
    pub pdf: Vec<u8>,
}

/// What is looked for in papers.
#[derive(Default)]
pub struct PaperSearch {
    pub kind: Option<PaperKind>,
    pub state: Option<PaperState>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    pub listing_id: Option<Uuid>,
}

/// The counter of a series, held until the transaction ends; it begins with this one where there is none.
pub async fn hold_counter(conn: &mut AsyncPgConnection, first: &Counter) -> QueryResult<Counter> {
    diesel::insert_into(documents_series::table).values(first).on_conflict_do_nothing().execute(conn).await?;
    documents_series::table
        .find((first.org_id, &first.series))
        .select(Counter::as_select())
        .for_update()
        .first(conn)
        .await
}

pub async fn save_counter(conn: &mut AsyncPgConnection, counter: &Counter) -> QueryResult<usize> {
    diesel::update(documents_series::table.find((counter.org_id, &counter.series))).set(counter).execute(conn).await
}

pub async fn insert_paper(conn: &mut AsyncPgConnection, paper: &Paper) -> QueryResult<usize> {
    diesel::insert_into(documents_papers::table).values(paper).execute(conn).await
}

pub async fn save_paper(conn: &mut AsyncPgConnection, paper: &Paper) -> QueryResult<usize> {
    diesel::update(documents_papers::table.find(paper.id)).set(paper).execute(conn).await
}

pub async fn delete_paper(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<usize> {
    diesel::delete(documents_papers::table.find(id)).execute(conn).await
}

pub async fn paper(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<Paper>> {
    let paper = documents_papers::table.find(id).filter(documents_papers::org_id.eq(org));
    paper.select(Paper::as_select()).first(conn).await.optional()
}

pub async fn lock_paper(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<Paper>> {
    let paper = documents_papers::table.find(id).filter(documents_papers::org_id.eq(org));
    paper.select(Paper::as_select()).for_update().first(conn).await.optional()
}

pub async fn papers(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    search: &PaperSearch,
    page: Page,
) -> QueryResult<Vec<Paper>> {
    let mut query = documents_papers::table
        .filter(documents_papers::org_id.eq(org))
        .order(documents_papers::id.desc())
        .select(Paper::as_select())
        .into_boxed();
    if let Some(kind) = search.kind {
        query = query.filter(documents_papers::kind.eq(kind.name()));
    }
    if let Some(state) = search.state {
        query = query.filter(documents_papers::state.eq(state.name()));
    }
    if let Some(from) = search.from {
        query = query.filter(documents_papers::issued_on.ge(from));
    }
    if let Some(to) = search.to {
        query = query.filter(documents_papers::issued_on.le(to));
    }
    if let Some(listing) = search.listing_id {
        query = query.filter(documents_papers::listing_id.eq(listing));
    }
    if let Some(after) = page.after {
        query = query.filter(documents_papers::id.lt(after));
    }
    query.limit(page.limit + 1).load(conn).await
}

/// What issued credit notes took back of invoices, in cents.
pub async fn credited(conn: &mut AsyncPgConnection, invoices: &[Uuid]) -> QueryResult<Vec<(Uuid, i64)>> {
    let notes: Vec<(Option<Uuid>, i64)> = documents_papers::table
        .filter(documents_papers::credits_id.eq_any(invoices).and(documents_papers::state.eq("issued")))
        .select((documents_papers::credits_id, documents_papers::gross_cents))
        .load(conn)
        .await?;
    Ok(notes.into_iter().filter_map(|(invoice, cents)| Some((invoice?, cents))).collect())
}

pub async fn insert_original(conn: &mut AsyncPgConnection, original: &Original) -> QueryResult<usize> {
    diesel::insert_into(documents_originals::table).values(original).execute(conn).await
}

/// An issued paper of any organization with its file: whoever asks has a signed address.
pub async fn original(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Option<(Paper, Vec<u8>)>> {
    documents_papers::table
        .inner_join(documents_originals::table)
        .filter(documents_papers::id.eq(id))
        .select((Paper::as_select(), documents_originals::pdf))
        .first(conn)
        .await
        .optional()
}

/// Issued invoices of a listing, the first one first.
pub async fn invoices_of(conn: &mut AsyncPgConnection, org: Uuid, listing: Uuid) -> QueryResult<Vec<Paper>> {
    documents_papers::table
        .filter(documents_papers::org_id.eq(org).and(documents_papers::listing_id.eq(listing)))
        .filter(documents_papers::kind.eq("invoice").and(documents_papers::state.eq("issued")))
        .order(documents_papers::id)
        .select(Paper::as_select())
        .load(conn)
        .await
}
