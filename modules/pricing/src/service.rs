use std::sync::Arc;

use diesel_async::AsyncPgConnection;
use keroxio_core::{App, Error, Result, Tx};
use keroxio_plugin_sdk::{CarFacts, PriceEstimator};
use keroxio_vehicle::{Vehicle, VehicleInput};
use serde_json::json;
use uuid::Uuid;

use crate::error;
use crate::model::{self, Estimate, Row};
use crate::purpose::PricePurpose;
use crate::quote::{self, Quote, Wish};

/// Cars of one bulk request, and of one that is explained: each of those is asked seven times.
const MOST_AT_ONCE: usize = 1_000;
const MOST_EXPLAINED: usize = 100;

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

/// The price of a car that somebody describes, kept nowhere.
///
/// # Errors
/// As for [`estimate`], and what is wrong with the facts.
pub async fn instant(app: &App, org: Uuid, car: VehicleInput, wish: Wish) -> Result<Quote> {
    let facts = described(app, org, car)?;
    one(quote::quotes(app, org, &[facts], wish).await?)
}

/// [`instant`] for many cars, in order; `car` in the details of an error counts from 0.
///
/// # Errors
/// `BAD_INPUT` for none or too many; otherwise as for [`instant`].
pub async fn bulk(app: &App, org: Uuid, cars: Vec<VehicleInput>, wish: Wish) -> Result<Vec<Quote>> {
    let most = if wish.explain { MOST_EXPLAINED } else { MOST_AT_ONCE };
    if cars.is_empty() || cars.len() > most {
        return Err(Error::bad_input(format!("Indiquez de 1 à {most} voitures."), format!("Give 1 to {most} cars.")));
    }
    let which = |(at, car)| described(app, org, car).map_err(|e| e.with_detail("car", at));
    let facts = cars.into_iter().enumerate().map(which).collect::<Result<Vec<CarFacts>>>()?;
    quote::quotes(app, org, &facts, wish).await
}

fn described(app: &App, org: Uuid, car: VehicleInput) -> Result<CarFacts> {
    let mut vehicle = Vehicle::empty(org, app.now());
    car.apply(&mut vehicle, app.now())?;
    priceable(app, &vehicle)
}

fn priceable(app: &App, vehicle: &Vehicle) -> Result<CarFacts> {
    let facts = keroxio_vehicle::service::car_facts(vehicle, app.now().date_naive());
    facts.map_err(|missing| error::facts_missing(&missing))
}

fn one(mut quotes: Vec<Quote>) -> Result<Quote> {
    quotes.pop().ok_or_else(|| Error::internal(std::io::Error::other("the price plugin answered nothing")))
}

async fn draft_for(app: &App, org: Uuid, vehicle_id: Uuid, purpose: Option<PricePurpose>) -> Result<Draft> {
    let vehicle = keroxio_vehicle::service::fetch(app, org, vehicle_id).await?;
    let facts = priceable(app, &vehicle)?;
    let wish = Wish { purpose, explain: true };
    let quote = one(quote::quotes(app, org, std::slice::from_ref(&facts), wish).await?)?;
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
