use chrono::NaiveDate;
use diesel_async::AsyncPgConnection;
use keroxio_core::{Actor, App, Page, Result, Tx};
use keroxio_plate_grammar::Plate;
use keroxio_plugin_sdk::CarFacts;
use serde_json::Value;
use uuid::Uuid;

use crate::error;
use crate::input::{VehicleInput, parsed};
use crate::model::{self, Vehicle};

pub async fn create(tx: &mut Tx, org: Uuid, input: VehicleInput) -> Result<Vehicle> {
    let now = tx.app().now();
    let mut vehicle = Vehicle::empty(org, now);
    input.apply(&mut vehicle, now)?;
    model::insert(tx, &vehicle).await?;
    Ok(vehicle)
}

pub async fn update(tx: &mut Tx, org: Uuid, id: Uuid, input: VehicleInput) -> Result<Vehicle> {
    let now = tx.app().now();
    let mut vehicle = model::lock(tx, org, id).await?.ok_or_else(error::not_found)?;
    input.apply(&mut vehicle, now)?;
    vehicle.updated_at = now;
    model::save(tx, &vehicle).await?;
    Ok(vehicle)
}

pub async fn get(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> Result<Vehicle> {
    model::find(conn, org, id).await?.ok_or_else(error::not_found)
}

/// [`get`] with a connection of its own.
pub async fn fetch(app: &App, org: Uuid, id: Uuid) -> Result<Vehicle> {
    let mut conn = app.conn().await?;
    get(&mut conn, org, id).await
}

pub(crate) async fn list(app: &App, actor: &Actor, page: Page) -> Result<Vec<Vehicle>> {
    let mut conn = app.conn().await?;
    Ok(model::page(&mut conn, actor.org_id, page).await?)
}

/// Fills the plate from a reading (letters and digits only) the seller may rely on, unless the seller gave one. A WW or W
/// garage number belongs to no particular car and is not kept as its identity.
pub async fn set_plate_from_photo(tx: &mut Tx, org: Uuid, id: Uuid, text: &str) -> Result<()> {
    // What is no French number is the seller's correction to a foreign one.
    if Plate::parse(text).is_ok_and(|plate| !plate.identifies_car()) {
        return Ok(());
    }
    let mut vehicle = model::lock(tx, org, id).await?.ok_or_else(error::not_found)?;
    let by_seller = vehicle.plate.is_some() && vehicle.sources.get("plate").and_then(Value::as_str) == Some("SELLER");
    if by_seller || vehicle.plate.as_deref() == Some(text) {
        return Ok(());
    }
    vehicle.plate = Some(text.to_owned());
    if let Some(sources) = vehicle.sources.as_object_mut() {
        sources.insert("plate".to_owned(), Value::from("PLATE"));
    }
    vehicle.updated_at = tx.app().now();
    model::save(tx, &vehicle).await?;
    Ok(())
}

/// What the price model takes, or the names of the facts it cannot do without.
pub fn car_facts(vehicle: &Vehicle, valued_on: NaiveDate) -> std::result::Result<CarFacts, Vec<&'static str>> {
    let missing: Vec<&'static str> = [
        ("make", vehicle.make.is_none()),
        ("model", vehicle.model.is_none()),
        ("firstRegistration", vehicle.first_registration_year.is_none()),
        ("mileageKm", vehicle.mileage_km.is_none()),
    ]
    .into_iter()
    .filter_map(|(name, absent)| absent.then_some(name))
    .collect();
    let (Some(make), Some(model), Some(year), Some(km)) =
        (&vehicle.make, &vehicle.model, vehicle.first_registration_year, vehicle.mileage_km)
    else {
        return Err(missing);
    };
    let positive = |number: Option<i32>| number.and_then(|n| u32::try_from(n).ok());
    Ok(CarFacts {
        make: make.clone(),
        model: model.clone(),
        version: vehicle.version.clone(),
        first_registration_year: year,
        first_registration_month: positive(vehicle.first_registration_month),
        mileage_km: u32::try_from(km).unwrap_or(0),
        fuel: parsed(vehicle.fuel.as_deref()),
        gearbox: parsed(vehicle.gearbox.as_deref()),
        power_hp: positive(vehicle.power_hp),
        fiscal_hp: positive(vehicle.fiscal_hp),
        doors: positive(vehicle.doors),
        seats: positive(vehicle.seats),
        body: None,
        country: Some("FR".to_owned()),
        valued_on,
    })
}
