use std::sync::Arc;
use std::time::Instant;

use keroxio_core::{App, Error, Result, Tx};
use keroxio_plugin_sdk::{CarFacts, PriceAnswer, PriceEstimator};
use serde_json::json;
use uuid::Uuid;

use crate::error;
use crate::model::{self, Estimate, Row};

/// Estimates the price of a car from its stored facts and keeps the evidence.
///
/// # Errors
/// `FACTS_MISSING` naming what the seller has to add. A refusal by the model is an answer, not an error.
pub async fn estimate(app: &App, org: Uuid, vehicle_id: Uuid) -> Result<Estimate> {
    let draft = draft(app, org, vehicle_id).await?;
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
    let vehicle = keroxio_vehicle::service::fetch(app, org, vehicle_id).await?;
    let facts = keroxio_vehicle::service::car_facts(&vehicle, app.now().date_naive())
        .map_err(|missing| error::facts_missing(&missing))?;
    let estimator: Arc<dyn PriceEstimator> = app.get()?;
    let started = Instant::now();
    let answers = estimator.estimate(std::slice::from_ref(&facts), true).await;
    keroxio_core::metrics::inference("pricing", &estimator.manifest().id, started.elapsed().as_secs_f64());
    let answer = answers.map_err(Error::internal)?.pop().ok_or_else(|| Error::internal(anyhow_missing_answer()))?;
    let mut row = row(app, org, vehicle_id, &facts)?;
    row.manifest = serde_json::to_value(estimator.manifest())?;
    fill(&mut row, answer)?;
    Ok(Draft { estimate: row.clone().into(), row })
}

pub async fn save(tx: &mut Tx, draft: &Draft) -> Result<()> {
    model::insert(tx, &draft.row).await?;
    Ok(())
}

fn anyhow_missing_answer() -> std::io::Error {
    std::io::Error::other("the price plugin answered nothing")
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
    })
}

fn fill(row: &mut Row, answer: PriceAnswer) -> Result<()> {
    match answer {
        PriceAnswer::Refused(refusal) => row.refused = Some(serde_json::to_value(refusal)?),
        PriceAnswer::Estimate { range, confidence, sample_size, data_until, contributions } => {
            row.low = Some(euros(range.low));
            row.mid = Some(euros(range.mid));
            row.high = Some(euros(range.high));
            row.confidence = Some(confidence);
            row.sample_size = i32::try_from(sample_size).ok();
            row.data_until = Some(data_until);
            row.contributions = serde_json::to_value(contributions)?;
        }
    }
    Ok(())
}

/// Rounded to ten euros: the model does not know more.
fn euros(amount: f64) -> i32 {
    ((amount / 10.0).round().clamp(1.0, 1_000_000.0) as i32) * 10
}

pub async fn get(app: &App, org: Uuid, id: Uuid) -> Result<Estimate> {
    let mut conn = app.conn().await?;
    Ok(model::find(&mut conn, org, id).await?.ok_or_else(error::not_found)?.into())
}
