use diesel_async::AsyncPgConnection;
use keroxio_core::{App, Error, Result, Tx};
use keroxio_plugin_sdk::{CarFacts, PriceEstimator};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

use crate::error;
use crate::model::{self, Estimate, Row};
use crate::purpose::PricePurpose;
use crate::quote::{self, Quote, Wish};

/// Estimates the price of a car from its stored facts and keeps the evidence.
///
/// # Errors
/// `FACTS_MISSING` naming what the seller has to add. A refusal by the model is an answer, not an error.
pub async fn estimate(app: &App, org: Uuid, vehicle_id: Uuid, purpose: Option<PricePurpose>) -> Result<Estimate> {
    let draft = draft_for(app, org, vehicle_id, purpose).await?;
    let mut conn = app.conn().await?;
    model::insert(&mut conn, &draft.row).await?;
    Ok(draft.estimate)
}

/// An estimate not yet saved.
pub struct Draft {
    pub estimate: Estimate,
    row: Row,
}

/// [`estimate`] without saving it, for a job that saves it with its other effects.
///
/// # Errors
/// As for [`estimate`].
pub async fn draft(app: &App, org: Uuid, vehicle_id: Uuid) -> Result<Draft> {
    draft_for(app, org, vehicle_id, None).await
}

async fn draft_for(app: &App, org: Uuid, vehicle_id: Uuid, purpose: Option<PricePurpose>) -> Result<Draft> {
    let vehicle = keroxio_vehicle::service::fetch(app, org, vehicle_id).await?;
    let facts = keroxio_vehicle::service::car_facts(&vehicle, app.now().date_naive())
        .map_err(|missing| error::facts_missing(&missing))?;
    let wish = Wish { purpose, explain: true };
    let quote = quote::quotes(app, org, std::slice::from_ref(&facts), wish).await?.pop();
    let quote = quote.ok_or_else(|| Error::internal(std::io::Error::other("the price plugin answered nothing")))?;
    let mut row = row(app, org, vehicle_id, &facts)?;
    row.manifest = serde_json::to_value(app.get::<Arc<dyn PriceEstimator>>()?.manifest())?;
    fill(&mut row, quote)?;
    Ok(Draft { estimate: row.clone().into(), row })
}

pub async fn save(tx: &mut Tx, draft: &Draft) -> Result<()> {
    model::insert(tx, &draft.row).await?;
    Ok(())
}

fn row(app: &App, org: Uuid, vehicle_id: Uuid, facts: &CarFacts) -> Result<Row> {
    Ok(Row {
        id: Uuid::now_v7(),
        org_id: org,
        vehicle_id,
        facts: serde_json::to_value(facts)?,
        low: None,
        mid: None,
        high: None,
        confidence: None,
        sample_size: None,
        data_until: None,
        contributions: json!([]),
        refused: None,
        manifest: json!({}),
        created_at: app.now(),
        evidence: json!({}),
    })
}

fn fill(row: &mut Row, quote: Quote) -> Result<()> {
    match quote {
        Quote::Refused(refusal) => row.refused = Some(serde_json::to_value(refusal)?),
        Quote::Priced(priced) => {
            (row.low, row.mid, row.high) = (Some(priced.low), Some(priced.mid), Some(priced.high));
            row.confidence = Some(priced.confidence);
            row.sample_size = i32::try_from(priced.sample_size).ok();
            row.data_until = Some(priced.data_until);
            row.contributions = serde_json::to_value(&priced.contributions)?;
            row.evidence = serde_json::to_value(&priced.evidence)?;
        }
    }
    Ok(())
}

pub async fn get(app: &App, org: Uuid, id: Uuid) -> Result<Estimate> {
    let mut conn = app.conn().await?;
    find(&mut conn, org, id).await
}

/// [`get`] on a connection of the caller's.
pub async fn find(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> Result<Estimate> {
    Ok(model::find(conn, org, id).await?.ok_or_else(error::not_found)?.into())
}
