use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_plugin_sdk::{PriceContribution, Refusal};
use serde_json::Value;
use uuid::Uuid;

use crate::quote::Evidence;
use crate::tables::pricing_estimates::{self, dsl};

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = pricing_estimates)]
pub(crate) struct Row {
    pub id: Uuid,
    pub org_id: Uuid,
    pub vehicle_id: Uuid,
    pub facts: Value,
    pub low: Option<i32>,
    pub mid: Option<i32>,
    pub high: Option<i32>,
    pub confidence: Option<f64>,
    pub sample_size: Option<i32>,
    pub data_until: Option<NaiveDate>,
    pub contributions: Value,
    pub refused: Option<Value>,
    pub manifest: Value,
    pub created_at: DateTime<Utc>,
    pub evidence: Value,
}

/// An estimate as other modules see it; amounts in whole euros.
#[derive(Debug, Clone)]
pub struct Estimate {
    pub id: Uuid,
    pub vehicle_id: Uuid,
    pub low: Option<i32>,
    pub mid: Option<i32>,
    pub high: Option<i32>,
    pub confidence: Option<f64>,
    pub sample_size: Option<i32>,
    pub data_until: Option<NaiveDate>,
    pub contributions: Vec<PriceContribution>,
    pub refusal: Option<Refusal>,
    /// None for estimates from before it was kept, and for refusals.
    pub evidence: Option<Evidence>,
    pub created_at: DateTime<Utc>,
}

impl From<Row> for Estimate {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            vehicle_id: row.vehicle_id,
            low: row.low,
            mid: row.mid,
            high: row.high,
            confidence: row.confidence,
            sample_size: row.sample_size,
            data_until: row.data_until,
            contributions: serde_json::from_value(row.contributions).unwrap_or_default(),
            evidence: serde_json::from_value(row.evidence).ok(),
            refusal: row.refused.and_then(|r| serde_json::from_value(r).ok()),
            created_at: row.created_at,
        }
    }
}

pub(crate) async fn insert(conn: &mut AsyncPgConnection, row: &Row) -> QueryResult<usize> {
    diesel::insert_into(dsl::pricing_estimates).values(row).execute(conn).await
}

/// Estimates of any organization: the caller looks whose they are.
pub(crate) async fn with_ids(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> QueryResult<Vec<Row>> {
    dsl::pricing_estimates.filter(dsl::id.eq_any(ids)).select(Row::as_select()).load(conn).await
}

pub(crate) async fn find(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> QueryResult<Option<Row>> {
    dsl::pricing_estimates
        .filter(dsl::org_id.eq(org).and(dsl::id.eq(id)))
        .select(Row::as_select())
        .first(conn)
        .await
        .optional()
}
