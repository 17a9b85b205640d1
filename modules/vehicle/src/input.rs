use async_graphql::{Enum, InputObject, InputType as _, MaybeUndefined};
use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use keroxio_core::Result;
use keroxio_plate_grammar::{Plate, normalize_foreign};
use keroxio_plugin_sdk::{Fuel, Gearbox};
use serde_json::Value;

use crate::error;
use crate::model::Vehicle;

const MAX_TEXT: usize = 120;

/// Energy of the engine (field P.3 of the registration certificate, grouped as portals do).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Fuel")]
pub enum FuelType {
    /// Petrol.
    Petrol,
    /// Diesel.
    Diesel,
    /// Hybrid that cannot be plugged in.
    Hybrid,
    /// Plug-in hybrid.
    PluginHybrid,
    /// Electric.
    Electric,
    /// Liquefied petroleum gas.
    Lpg,
    /// Natural gas.
    Cng,
    /// Superethanol E85.
    Ethanol,
    /// Anything else.
    Other,
}

/// Gearbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Gearbox")]
pub enum GearboxType {
    /// Manual.
    Manual,
    /// Automatic, dual clutch or robotised.
    Automatic,
}

/// Class of the Crit'Air sticker, by what a car emits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum CritAir {
    /// Electric or hydrogen.
    E,
    /// Class 1.
    #[graphql(name = "CLASS_1")]
    Class1,
    /// Class 2.
    #[graphql(name = "CLASS_2")]
    Class2,
    /// Class 3.
    #[graphql(name = "CLASS_3")]
    Class3,
    /// Class 4.
    #[graphql(name = "CLASS_4")]
    Class4,
    /// Class 5.
    #[graphql(name = "CLASS_5")]
    Class5,
    /// Too old for a class.
    Unclassed,
}

impl CritAir {
    const WORDS: [(Self, &'static str); 7] = [
        (Self::E, "e"),
        (Self::Class1, "1"),
        (Self::Class2, "2"),
        (Self::Class3, "3"),
        (Self::Class4, "4"),
        (Self::Class5, "5"),
        (Self::Unclassed, "none"),
    ];

    /// As it is stored.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(class, _)| *class == self).map_or("none", |(_, word)| word)
    }

    pub fn stored(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(class, _)| *class)
    }

    /// As the API writes it.
    pub fn name(self) -> String {
        self.to_value().to_string()
    }
}

/// The name a value has in the database, as serde writes it.
pub fn word(value: &impl serde::Serialize) -> Option<String> {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned))
}

pub fn parsed<T: serde::de::DeserializeOwned>(word: Option<&str>) -> Option<T> {
    serde_json::from_value(Value::from(word?)).ok()
}

/// What a seller says of a car. Absent fields stay as they are; null erases.
#[derive(Debug, Clone, Default, InputObject)]
pub struct VehicleInput {
    /// Registration number, in any spelling. A WW or W garage number is refused: it belongs to no car for long.
    pub plate: MaybeUndefined<String>,
    /// Whether `plate` is of another country: 4 to 10 letters and digits, not checked further.
    #[graphql(default)]
    pub foreign_plate: bool,
    /// Make, for instance `Renault` (field D.1).
    pub make: MaybeUndefined<String>,
    /// Model, for instance `Clio` (field D.3).
    pub model: MaybeUndefined<String>,
    /// Version, trim and engine, for instance `V TCe 90 Zen`.
    pub version: MaybeUndefined<String>,
    /// Month of first registration, `YYYY-MM` (field B).
    pub first_registration: MaybeUndefined<String>,
    /// Odometer reading in kilometres, 0 to 1,500,000.
    pub mileage_km: MaybeUndefined<i32>,
    /// Energy.
    pub fuel: MaybeUndefined<FuelType>,
    /// Gearbox.
    pub gearbox: MaybeUndefined<GearboxType>,
    /// Power in DIN horsepower, 1 to 2,000.
    pub power_hp: MaybeUndefined<i32>,
    /// Fiscal power in CV (field P.6), 1 to 200.
    pub fiscal_hp: MaybeUndefined<i32>,
    /// Doors, 1 to 7.
    pub doors: MaybeUndefined<i32>,
    /// Seats (field S.1), 1 to 9.
    pub seats: MaybeUndefined<i32>,
    /// Exterior colour.
    pub colour: MaybeUndefined<String>,
    /// Day of the last technical inspection.
    pub technical_inspection_on: MaybeUndefined<NaiveDate>,
    /// Whether that inspection ordered another test, which makes its report valid for two months only.
    pub inspection_retest: MaybeUndefined<bool>,
    /// Class of the Crit'Air sticker.
    pub crit_air: MaybeUndefined<CritAir>,
    /// Vehicle identification number (field E): 17 letters and digits without I, O and Q, or fewer for a car from before
    /// 1981. It is shown to nobody else.
    pub vin: MaybeUndefined<String>,
    /// Grams of CO2 per kilometre (field V.7), 0 to 1,000.
    pub co2: MaybeUndefined<i32>,
    /// Your own number of the car, unique in your stock.
    pub stock_number: MaybeUndefined<String>,
    /// Price you want to ask, in whole euros with all taxes, 1 to 10,000,000. Its ad begins with it.
    pub asking_price: MaybeUndefined<i32>,
    /// Day on which it came into your stock, or will.
    pub entered_on: MaybeUndefined<NaiveDate>,
}

impl VehicleInput {
    /// Checks every field and writes it into the vehicle. Answers which fields it spoke of.
    pub fn apply(self, vehicle: &mut Vehicle, now: DateTime<Utc>) -> Result<Vec<&'static str>> {
        let mut given = Vec::new();
        let mut note = |field: &'static str| given.push(field);
        let texts = [
            ("make", self.make, &mut vehicle.make),
            ("model", self.model, &mut vehicle.model),
            ("version", self.version, &mut vehicle.version),
            ("colour", self.colour, &mut vehicle.colour),
            ("stockNumber", self.stock_number, &mut vehicle.stock_number),
        ];
        for (field, given, slot) in texts {
            if let Some(value) = given_text(field, given)? {
                note(field);
                *slot = value;
            }
        }
        let numbers = [
            ("powerHp", self.power_hp, 1, 2_000, &mut vehicle.power_hp),
            ("fiscalHp", self.fiscal_hp, 1, 200, &mut vehicle.fiscal_hp),
            ("doors", self.doors, 1, 7, &mut vehicle.doors),
            ("seats", self.seats, 1, 9, &mut vehicle.seats),
            ("co2", self.co2, 0, 1_000, &mut vehicle.co2),
            ("askingPrice", self.asking_price, 1, 10_000_000, &mut vehicle.asking_price_eur),
        ];
        for (field, given, low, high, slot) in numbers {
            if let Some(value) = given_value(given) {
                if value.is_some_and(|v| !(low..=high).contains(&v)) {
                    return Err(error::out_of_range(field, low, high));
                }
                note(field);
                *slot = value;
            }
        }
        if let Some(value) = given_value(self.mileage_km) {
            if value.is_some_and(|km| !(0..=1_500_000).contains(&km)) {
                return Err(error::mileage());
            }
            note("mileageKm");
            vehicle.mileage_km = value;
        }
        if let Some(value) = given_value(self.fuel) {
            note("fuel");
            vehicle.fuel = value.and_then(|f| word(&Fuel::from(f)));
        }
        if let Some(value) = given_value(self.gearbox) {
            note("gearbox");
            vehicle.gearbox = value.and_then(|g| word(&Gearbox::from(g)));
        }
        if let Some(value) = given_value(self.technical_inspection_on) {
            if value.is_some_and(|day| day > now.date_naive()) {
                return Err(error::inspection_to_come());
            }
            note("technicalInspectionOn");
            vehicle.inspected_on = value;
        }
        if let Some(value) = given_value(self.entered_on) {
            let years = |years: i32| now.date_naive().with_year(now.year() + years).unwrap_or_else(|| now.date_naive());
            if value.is_some_and(|day| day.year() <= 1990 || day > years(1)) {
                return Err(error::entry_out_of_range());
            }
            note("enteredOn");
            vehicle.entered_on = value;
        }
        if let Some(value) = given_value(self.inspection_retest) {
            note("inspectionRetest");
            vehicle.inspection_retest = value;
        }
        if let Some(value) = given_value(self.crit_air) {
            note("critAir");
            vehicle.crit_air = value.map(|class| class.word().to_owned());
        }
        if let Some(value) = given_value(self.vin) {
            let vin = value.map(|text| identification(&text)).transpose()?;
            note("vin");
            vehicle.vin = vin;
        }
        if let Some(value) = given_value(self.first_registration) {
            let month = value.map(|text| year_and_month(&text, now)).transpose()?;
            note("firstRegistration");
            vehicle.first_registration_year = month.map(|(year, _)| year);
            vehicle.first_registration_month = month.map(|(_, month)| month);
        }
        if let Some(value) = given_value(self.plate) {
            let plate = value.map(|text| registration(&text, self.foreign_plate)).transpose()?;
            note("plate");
            vehicle.plate = plate;
        }
        Ok(given)
    }
}

fn registration(text: &str, foreign: bool) -> Result<String> {
    if foreign {
        return normalize_foreign(text).map_err(|_| error::plate());
    }
    let plate = Plate::parse(text).map_err(|_| error::plate())?;
    if plate.identifies_car() { Ok(plate.normalized().to_owned()) } else { Err(error::temporary_plate()) }
}

/// A VIN has 17 signs since 1981 (ISO 3779); those before had other numbers.
fn identification(text: &str) -> Result<String> {
    let vin: String = text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_uppercase).collect();
    let signs = vin.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let whole = vin.len() == 17 && !vin.contains(['I', 'O', 'Q']);
    if signs && (whole || (4..17).contains(&vin.len())) { Ok(vin) } else { Err(error::vin()) }
}

/// `None` when the field is absent, `Some(None)` when it is to be erased.
fn given_value<T>(given: MaybeUndefined<T>) -> Option<Option<T>> {
    match given {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}

fn given_text(field: &str, given: MaybeUndefined<String>) -> Result<Option<Option<String>>> {
    let Some(value) = given_value(given) else { return Ok(None) };
    let value = value.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty());
    if value.as_ref().is_some_and(|text| text.chars().count() > MAX_TEXT) {
        return Err(error::text(field));
    }
    Ok(Some(value))
}

fn year_and_month(text: &str, now: DateTime<Utc>) -> Result<(i32, i32)> {
    let parts = text.trim().split_once('-').and_then(|(y, m)| Some((y.parse::<i32>().ok()?, m.parse::<i32>().ok()?)));
    let (year, month) = parts.ok_or_else(error::first_registration)?;
    let this_month = (now.year(), i32::try_from(now.month()).unwrap_or(12));
    if !(1..=12).contains(&month) || year < 1900 || (year, month) > this_month {
        return Err(error::first_registration());
    }
    Ok((year, month))
}
