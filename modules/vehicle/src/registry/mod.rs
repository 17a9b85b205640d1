//! Asks a vehicle register what it knows of a car, with the seller's own credential, once a month for a number at most.

mod job;
mod model;

use std::sync::Arc;

use async_graphql::MaybeUndefined;
use chrono::{DateTime, Datelike as _, Duration, NaiveTime, Utc};
use keroxio_core::{Actor, App, Result, Right, Tx};
use keroxio_plate_grammar::Plate;
use keroxio_plugin_sdk::{RegisteredCar, VehicleRegistry};
use uuid::Uuid;

pub use job::LookUp;
pub use keroxio_core::Sealer;
pub use model::{Access, Question};

use crate::error;
use crate::input::VehicleInput;
use crate::model::Vehicle;
use crate::service;

/// An answer of so many days ago still answers.
const FRESH_DAYS: i64 = 30;
const LONGEST_CREDENTIAL: usize = 500;

/// What an organization has of the register.
pub struct Standing {
    pub access: Access,
    /// Name and version of the register.
    pub register: String,
    /// Questions of this month, and what they cost together, in cents.
    pub questions: i64,
    pub cents: i64,
}

fn registry(app: &App) -> Result<Arc<dyn VehicleRegistry>> {
    app.get().map_err(|_| error::registry_not_configured())
}

/// # Errors
/// `REGISTRY_NOT_CONFIGURED`; `BAD_INPUT` for a credential that can be none.
pub(crate) async fn set_access(app: &App, actor: &Actor, credential: &str) -> Result<Standing> {
    actor.may(Right::Settings)?;
    registry(app)?;
    let credential = credential.trim();
    if credential.is_empty() || credential.len() > LONGEST_CREDENTIAL || credential.chars().any(char::is_control) {
        return Err(error::credential());
    }
    let sealed = app.get::<Sealer>()?.seal(actor.org_id, credential)?;
    let access = Access { org_id: actor.org_id, sealed, since: app.now(), refused_at: None };
    model::set_access(&mut *app.conn().await?, &access).await?;
    standing(app, actor).await?.ok_or_else(error::registry_access_missing)
}

pub(crate) async fn remove_access(app: &App, actor: &Actor) -> Result<bool> {
    actor.may(Right::Settings)?;
    Ok(model::remove_access(&mut *app.conn().await?, actor.org_id).await? > 0)
}

pub(crate) async fn standing(app: &App, actor: &Actor) -> Result<Option<Standing>> {
    actor.may(Right::Read)?;
    let Ok(registry) = registry(app) else { return Ok(None) };
    let mut conn = app.conn().await?;
    let Some(access) = model::access(&mut conn, actor.org_id).await? else { return Ok(None) };
    let (questions, cents) = model::spent(&mut conn, actor.org_id, month_of(app.now())).await?;
    let manifest = registry.manifest();
    Ok(Some(Standing { access, register: format!("{} {}", manifest.id, manifest.version), questions, cents }))
}

fn month_of(now: DateTime<Utc>) -> DateTime<Utc> {
    let first = now.date_naive().with_day(1).unwrap_or_else(|| now.date_naive());
    first.and_time(NaiveTime::MIN).and_utc()
}

/// What the register last said of the number of a car, while that still answers.
pub(crate) async fn answer(app: &App, vehicle: &Vehicle) -> Result<Option<Question>> {
    let Some(plate) = &vehicle.plate else { return Ok(None) };
    let since = app.now() - Duration::days(FRESH_DAYS);
    Ok(model::latest(&mut *app.conn().await?, vehicle.org_id, plate, since).await?)
}

/// A seller has a car looked up.
///
/// # Errors
/// `REGISTRY_NOT_CONFIGURED`, `REGISTRY_ACCESS_MISSING`, `NOT_FOUND`; `PLATE_INVALID` for a car without a French number.
pub(crate) async fn look_up(app: &App, actor: &Actor, id: Uuid) -> Result<Vehicle> {
    actor.may(Right::Stock)?;
    registry(app)?;
    let mut tx = app.begin().await?;
    let vehicle = service::get(&mut tx, actor.org_id, id).await?;
    let plate = french(&vehicle).ok_or_else(error::plate)?;
    model::access(&mut tx, actor.org_id).await?.ok_or_else(error::registry_access_missing)?;
    tx.enqueue(&LookUp { vehicle_id: id, org_id: actor.org_id, plate }).await?;
    tx.commit().await?;
    Ok(vehicle)
}

/// The number of a car has become known: it is looked up where its seller has access to a register.
pub(crate) async fn number_known(tx: &mut Tx, vehicle: &Vehicle) -> Result<()> {
    let Some(plate) = french(vehicle).filter(|_| registry(tx.app()).is_ok()) else { return Ok(()) };
    let access = model::access(tx, vehicle.org_id).await?;
    if access.is_some_and(|access| access.refused_at.is_none()) {
        tx.enqueue(&LookUp { vehicle_id: vehicle.id, org_id: vehicle.org_id, plate }).await?;
    }
    Ok(())
}

fn french(vehicle: &Vehicle) -> Option<String> {
    let plate = Plate::parse(vehicle.plate.as_deref()?).ok()?;
    plate.identifies_car().then(|| plate.normalized().to_owned())
}

/// A car with what a register says of it, and the fields it speaks of; what could not be true is left out.
pub(crate) fn as_registered(
    car: &RegisteredCar,
    vehicle: &Vehicle,
    now: DateTime<Utc>,
) -> (Vehicle, Vec<&'static str>) {
    let text = |text: &Option<String>| known(text.clone());
    let number = |number: Option<u32>| known(number.and_then(|n| i32::try_from(n).ok()));
    let month = car.first_registration.map(|day| day.format("%Y-%m").to_string());
    let facts = [
        VehicleInput { make: text(&car.make), ..VehicleInput::default() },
        VehicleInput { model: text(&car.model), ..VehicleInput::default() },
        VehicleInput { version: text(&car.version), ..VehicleInput::default() },
        VehicleInput { first_registration: text(&month), ..VehicleInput::default() },
        VehicleInput { fuel: known(car.fuel.map(Into::into)), ..VehicleInput::default() },
        VehicleInput { gearbox: known(car.gearbox.map(Into::into)), ..VehicleInput::default() },
        VehicleInput { power_hp: number(car.power_hp), ..VehicleInput::default() },
        VehicleInput { fiscal_hp: number(car.fiscal_hp), ..VehicleInput::default() },
        VehicleInput { doors: number(car.doors), ..VehicleInput::default() },
        VehicleInput { seats: number(car.seats), ..VehicleInput::default() },
        VehicleInput { colour: text(&car.colour), ..VehicleInput::default() },
        VehicleInput { vin: text(&car.vin), ..VehicleInput::default() },
        VehicleInput { co2: number(car.co2), ..VehicleInput::default() },
    ];
    let mut said = vehicle.clone();
    let mut fields = Vec::new();
    for fact in facts {
        let mut with = said.clone();
        if let Ok(given) = fact.apply(&mut with, now) {
            fields.extend(given.into_iter().filter(|field| !with.value(field).is_null()));
            said = with;
        }
    }
    (said, fields)
}

/// What a register does not know it does not speak of.
fn known<T>(value: Option<T>) -> MaybeUndefined<T> {
    value.map_or(MaybeUndefined::Undefined, MaybeUndefined::Value)
}

/// The register's words for makes and models are capitals; ours are as people write them.
pub(crate) fn written(car: RegisteredCar) -> RegisteredCar {
    let words = |text: Option<String>| text.map(|text| if text.len() > 3 { capitalised(&text) } else { text });
    RegisteredCar {
        make: words(car.make),
        model: words(car.model),
        colour: car.colour.map(|c| c.to_lowercase()),
        ..car
    }
}

fn capitalised(text: &str) -> String {
    if text.chars().any(char::is_lowercase) {
        return text.to_owned();
    }
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(String::from).unwrap_or_default();
        // A name with a number in it, such as C3 or XC40, is one of capitals.
        if word.len() <= 2 || word.chars().any(|c| c.is_ascii_digit()) {
            word.to_owned()
        } else {
            first + &letters.as_str().to_lowercase()
        }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_people_write_them() {
        for (register, ours) in [
            ("RENAULT", "Renault"),
            ("ALFA ROMEO", "Alfa Romeo"),
            ("BMW", "BMW"),
            ("C3 AIRCROSS", "C3 Aircross"),
            ("CLASSE A", "Classe A"),
            ("XC40", "XC40"),
            ("Mégane", "Mégane"),
        ] {
            let car = written(RegisteredCar { make: Some(register.to_owned()), ..RegisteredCar::default() });
            assert_eq!(car.make.as_deref(), Some(ours));
        }
    }

    #[test]
    fn what_could_not_be_true_is_not_taken() {
        let now = Utc::now();
        let vehicle = Vehicle::empty(Uuid::nil(), now);
        let car =
            RegisteredCar { make: Some("Renault".into()), doors: Some(40), seats: Some(5), ..RegisteredCar::default() };
        let (said, fields) = as_registered(&car, &vehicle, now);
        assert_eq!(fields, ["make", "seats"]);
        assert_eq!((said.doors, said.seats), (None, Some(5)));
    }
}
