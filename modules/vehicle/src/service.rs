use std::collections::HashMap;

use chrono::NaiveDate;
use diesel_async::AsyncPgConnection;
use keroxio_core::{Actor, App, Error, Page, Result, Right, Tx};
use keroxio_plate_grammar::Plate;
use keroxio_plugin_sdk::CarFacts;
use uuid::Uuid;

use crate::error;
use crate::events::VehicleChanged;
use crate::fields::FIELDS;
use crate::input::{VehicleInput, parsed};
use crate::model::{self, StockFilter, Vehicle};
use crate::registry;
use crate::statements::{self, Change, FactOrigin, Speaker, Statement};
use crate::stock::StockState;

pub async fn create(tx: &mut Tx, actor: &Actor, input: VehicleInput) -> Result<Vehicle> {
    actor.may(Right::Stock)?;
    let now = tx.app().now();
    let mut vehicle = Vehicle::empty(actor.org_id, now);
    let given = input.apply(&mut vehicle, now)?;
    let said = statements::begin(&mut vehicle, Speaker::seller(actor.user_id), &given);
    model::insert(tx, &vehicle).await.map_err(taken)?;
    statements::insert(tx, &said).await?;
    registry::number_known(tx, &vehicle).await?;
    Ok(vehicle)
}

/// A car of the stock for which an ad is made, with what the seller says of it.
///
/// # Errors
/// `STOCK_MOVE_REFUSED` for one that is no longer for sale.
pub async fn take(tx: &mut Tx, actor: &Actor, id: Uuid, input: VehicleInput) -> Result<Vehicle> {
    let mut vehicle = update(tx, actor, id, input).await?;
    let state = vehicle.stock_state();
    if state.is_gone() {
        return Err(error::move_refused(state, StockState::Ready));
    }
    vehicle.touch(tx.app().now());
    model::save(tx, &vehicle).await?;
    Ok(vehicle)
}

/// What the seller says anew. Whoever shows the car is to look at it again: the caller sees to that.
pub async fn update(tx: &mut Tx, actor: &Actor, id: Uuid, input: VehicleInput) -> Result<Vehicle> {
    actor.may(Right::Stock)?;
    let now = tx.app().now();
    let vehicle = locked(tx, actor.org_id, id).await?;
    let mut said = vehicle.clone();
    let given = input.apply(&mut said, now)?;
    tell(tx, vehicle, &said, Speaker::seller(actor.user_id), &given).await
}

/// [`update`], and every listing of the car follows.
pub(crate) async fn correct(app: &App, actor: &Actor, id: Uuid, input: VehicleInput) -> Result<Vehicle> {
    actor.may(Right::Stock)?;
    let mut tx = app.begin().await?;
    let vehicle = update(&mut tx, actor, id, input).await?;
    announce(&mut tx, &vehicle).await?;
    tx.commit().await?;
    Ok(vehicle)
}

/// The seller makes one of the statements about a car their own, which ends the dispute about it.
pub(crate) async fn settle(app: &App, actor: &Actor, id: Uuid, statement: Uuid) -> Result<Vehicle> {
    actor.may(Right::Stock)?;
    let mut tx = app.begin().await?;
    let vehicle = locked(&mut tx, actor.org_id, id).await?;
    let chosen = statements::find(&mut tx, &vehicle, statement).await?;
    let mut said = vehicle.clone();
    said.set_value(&chosen.field, &chosen.value);
    let vehicle = tell(&mut tx, vehicle, &said, Speaker::seller(actor.user_id), &[&chosen.field]).await?;
    announce(&mut tx, &vehicle).await?;
    tx.commit().await?;
    Ok(vehicle)
}

/// Takes back what the seller changed last.
pub(crate) async fn undo(app: &App, actor: &Actor, id: Uuid) -> Result<Vehicle> {
    actor.may(Right::Stock)?;
    let mut tx = app.begin().await?;
    let mut vehicle = locked(&mut tx, actor.org_id, id).await?;
    let number = vehicle.plate.clone();
    statements::undo(&mut tx, &mut vehicle, app.now()).await?;
    if keep(&mut tx, &mut vehicle, number).await? {
        registry::number_known(&mut tx, &vehicle).await?;
    }
    announce(&mut tx, &vehicle).await?;
    tx.commit().await?;
    Ok(vehicle)
}

pub(crate) async fn locked(tx: &mut Tx, org: Uuid, id: Uuid) -> Result<Vehicle> {
    model::lock(tx, org, id).await?.ok_or_else(error::not_found)
}

/// Its listings follow.
pub(crate) async fn announce(tx: &mut Tx, vehicle: &Vehicle) -> Result<()> {
    tx.announce(&VehicleChanged { vehicle_id: vehicle.id, org_id: vehicle.org_id }).await
}

/// Adds what somebody says of some fields, held by `said`, and saves what follows from it.
async fn tell(tx: &mut Tx, mut vehicle: Vehicle, said: &Vehicle, by: Speaker, fields: &[&str]) -> Result<Vehicle> {
    let now = tx.app().now();
    let change = Change { id: Uuid::now_v7(), by, at: now };
    let number = vehicle.plate.clone();
    if statements::add(tx, &mut vehicle, said, change, fields).await? && keep(tx, &mut vehicle, number).await? {
        registry::number_known(tx, &vehicle).await?;
    }
    Ok(vehicle)
}

/// Two cars of one stock have not the same number.
pub(crate) fn taken(e: diesel::result::Error) -> Error {
    use diesel::result::{DatabaseErrorKind, Error as Sql};
    match e {
        Sql::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => error::stock_number_taken(),
        other => other.into(),
    }
}

/// Saves a car after what was said of it changed. Answers whether its number is another than before; what a register
/// said of that one then does not hold.
pub(crate) async fn keep(tx: &mut Tx, vehicle: &mut Vehicle, before: Option<String>) -> Result<bool> {
    let now = tx.app().now();
    let renumbered = vehicle.plate != before;
    if renumbered && before.is_some() {
        statements::forget_register(tx, vehicle, now).await?;
    }
    vehicle.touch(now);
    model::save(tx, vehicle).await.map_err(taken)?;
    Ok(renumbered)
}

/// [`tell`] by somebody who is not the seller; every listing of the car follows if that is news.
pub(crate) async fn hear(tx: &mut Tx, vehicle: Vehicle, said: &Vehicle, by: Speaker, fields: &[&str]) -> Result<()> {
    let before = vehicle.clone();
    let after = tell(tx, vehicle, said, by, fields).await?;
    if fields.iter().any(|field| before.value(field) != after.value(field)) {
        announce(tx, &after).await?;
    }
    Ok(())
}

/// All that was said of a car and still counts, in order.
pub(crate) async fn statements(app: &App, vehicle: &Vehicle) -> Result<Vec<Statement>> {
    Ok(statements::known(&mut *app.conn().await?, vehicle).await?)
}

/// Fields about which somebody says otherwise than the seller, or than whoever is believed.
pub async fn disputed(app: &App, vehicle: &Vehicle) -> Result<Vec<&'static str>> {
    let said = statements(app, vehicle).await?;
    Ok(FIELDS.into_iter().filter(|field| !statements::disputes(&said, field).is_empty()).collect())
}

/// All that was ever said, of one field or of all, latest first.
pub(crate) async fn history(app: &App, vehicle: Uuid, field: Option<&str>, page: Page) -> Result<Vec<Statement>> {
    if let Some(field) = field.filter(|field| !FIELDS.contains(field)) {
        return Err(error::unknown_field(field));
    }
    Ok(statements::history(&mut *app.conn().await?, vehicle, field, page).await?)
}

pub async fn get(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> Result<Vehicle> {
    model::find(conn, org, id).await?.ok_or_else(error::not_found)
}

/// A car of an organization by the seller's own number of it.
pub async fn by_stock_number(conn: &mut AsyncPgConnection, org: Uuid, number: &str) -> Result<Option<Vehicle>> {
    Ok(model::by_stock_number(conn, org, number).await?)
}

/// [`get`] with a connection of its own.
pub async fn fetch(app: &App, org: Uuid, id: Uuid) -> Result<Vehicle> {
    let mut conn = app.conn().await?;
    get(&mut conn, org, id).await
}

/// Cars of an organization by their ids; those that are not its own are missing.
pub async fn fetch_all(app: &App, org: Uuid, ids: &[Uuid]) -> Result<HashMap<Uuid, Vehicle>> {
    let found = model::find_all(&mut *app.conn().await?, org, ids).await?;
    Ok(found.into_iter().map(|vehicle| (vehicle.id, vehicle)).collect())
}

pub(crate) async fn list(app: &App, actor: &Actor, filter: &StockFilter, page: Page) -> Result<Vec<Vehicle>> {
    actor.may(Right::Read)?;
    let mut conn = app.conn().await?;
    Ok(model::page(&mut conn, actor.org_id, filter, page).await?)
}

/// Keeps a plate as it was read (letters and digits only) with a confidence the seller may rely on; it stands unless
/// the seller gave one. A WW or W garage number belongs to no particular car and is not kept as its identity.
pub async fn set_plate_from_photo(tx: &mut Tx, org: Uuid, id: Uuid, text: &str, confidence: f64) -> Result<()> {
    // What is no French number is the seller's correction to a foreign one.
    if Plate::parse(text).is_ok_and(|plate| !plate.identifies_car()) {
        return Ok(());
    }
    let vehicle = locked(tx, org, id).await?;
    let said = Vehicle { plate: Some(text.to_owned()), ..vehicle.clone() };
    let by = Speaker { origin: FactOrigin::Plate, user_id: None, confidence: Some(confidence.clamp(0.0, 1.0)) };
    tell(tx, vehicle, &said, by, &["plate"]).await.map(drop)
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
