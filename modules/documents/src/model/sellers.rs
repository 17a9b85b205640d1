use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;

use crate::tables::documents_sellers;

/// What an organization says of itself on its papers.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = documents_sellers)]
pub struct SellerRow {
    pub org_id: Uuid,
    pub seller: Value,
    pub terms: Value,
    pub vat_scheme: String,
    pub updated_at: DateTime<Utc>,
}

pub async fn seller(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<Option<SellerRow>> {
    documents_sellers::table.find(org).select(SellerRow::as_select()).first(conn).await.optional()
}

pub async fn save_seller(conn: &mut AsyncPgConnection, row: &SellerRow) -> QueryResult<usize> {
    let insert = diesel::insert_into(documents_sellers::table).values(row);
    insert.on_conflict(documents_sellers::org_id).do_update().set(row).execute(conn).await
}
