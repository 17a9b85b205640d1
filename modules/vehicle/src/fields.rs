//! The facts of a car by name, as their history keeps them.

use chrono::NaiveDate;
use keroxio_plate_grammar::Plate;
use serde_json::{Value, json};

use crate::input::CritAir;
use crate::model::Vehicle;

/// Every fact, by its name in `VehicleInput`.
pub const FIELDS: [&str; 21] = [
    "plate",
    "make",
    "model",
    "version",
    "firstRegistration",
    "mileageKm",
    "fuel",
    "gearbox",
    "powerHp",
    "fiscalHp",
    "doors",
    "seats",
    "colour",
    "technicalInspectionOn",
    "inspectionRetest",
    "critAir",
    "vin",
    "co2",
    "stockNumber",
    "askingPrice",
    "enteredOn",
];

impl Vehicle {
    /// What is known of a fact: a text, number or truth value as it is stored, null for nothing.
    pub fn value(&self, field: &str) -> Value {
        match field {
            "plate" => json!(self.plate),
            "make" => json!(self.make),
            "model" => json!(self.model),
            "version" => json!(self.version),
            "firstRegistration" => json!(self.first_registration()),
            "mileageKm" => json!(self.mileage_km),
            "fuel" => json!(self.fuel),
            "gearbox" => json!(self.gearbox),
            "powerHp" => json!(self.power_hp),
            "fiscalHp" => json!(self.fiscal_hp),
            "doors" => json!(self.doors),
            "seats" => json!(self.seats),
            "colour" => json!(self.colour),
            "technicalInspectionOn" => json!(self.inspected_on),
            "inspectionRetest" => json!(self.inspection_retest),
            "critAir" => json!(self.crit_air),
            "vin" => json!(self.vin),
            "co2" => json!(self.co2),
            "stockNumber" => json!(self.stock_number),
            "askingPrice" => json!(self.asking_price_eur),
            "enteredOn" => json!(self.entered_on),
            _ => Value::Null,
        }
    }

    /// Sets a fact to a [`Vehicle::value`] of one.
    pub fn set_value(&mut self, field: &str, value: &Value) {
        let text = || value.as_str().map(str::to_owned);
        let number = || value.as_i64().and_then(|number| i32::try_from(number).ok());
        let day = || value.as_str().and_then(|day| day.parse::<NaiveDate>().ok());
        match field {
            "plate" => self.plate = text(),
            "make" => self.make = text(),
            "model" => self.model = text(),
            "version" => self.version = text(),
            "firstRegistration" => {
                let (year, month) = value.as_str().map(|text| text.split_once('-').unwrap_or((text, ""))).unzip();
                self.first_registration_year = year.and_then(|year| year.parse().ok());
                self.first_registration_month = month.and_then(|month| month.parse().ok());
            }
            "mileageKm" => self.mileage_km = number(),
            "fuel" => self.fuel = text(),
            "gearbox" => self.gearbox = text(),
            "powerHp" => self.power_hp = number(),
            "fiscalHp" => self.fiscal_hp = number(),
            "doors" => self.doors = number(),
            "seats" => self.seats = number(),
            "colour" => self.colour = text(),
            "technicalInspectionOn" => self.inspected_on = day(),
            "inspectionRetest" => self.inspection_retest = value.as_bool(),
            "critAir" => self.crit_air = text(),
            "vin" => self.vin = text(),
            "co2" => self.co2 = number(),
            "stockNumber" => self.stock_number = text(),
            "askingPrice" => self.asking_price_eur = number(),
            "enteredOn" => self.entered_on = day(),
            _ => {}
        }
    }

    /// Month of first registration, `YYYY-MM`; the year alone where no more is known.
    pub fn first_registration(&self) -> Option<String> {
        let year = self.first_registration_year?;
        Some(self.first_registration_month.map_or(year.to_string(), |month| format!("{year}-{month:02}")))
    }
}

/// A value as the API writes it; none for one that was erased.
pub fn shown(field: &str, value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Some(match field {
        "plate" => Plate::parse(&text).map_or_else(|_| text.clone(), |plate| plate.formatted()),
        "fuel" | "gearbox" => text.to_uppercase(),
        "critAir" => CritAir::stored(&text).map_or(text, CritAir::name),
        _ => text,
    })
}

/// Whether a fact may appear in public. The numbers of a car are personal data, and how a seller keeps the stock is the
/// seller's.
pub fn may_be_shown(field: &str) -> bool {
    !matches!(field, "plate" | "vin" | "stockNumber" | "enteredOn")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_fact_goes_out_and_comes_back() {
        let full = json!({ "plate": "AB123CD", "make": "Renault", "model": "Clio", "version": "TCe 90",
            "firstRegistration": "2020-03", "mileageKm": 45_000, "fuel": "plugin_hybrid", "gearbox": "automatic",
            "powerHp": 90, "fiscalHp": 5, "doors": 5, "seats": 5, "colour": "bleu",
            "technicalInspectionOn": "2026-05-04", "inspectionRetest": false, "critAir": "1", "vin": "VF15RB20A12345678", "co2": 114, "stockNumber": "VO-1042",
            "askingPrice": 11_990, "enteredOn": "2026-10-01" });
        let now = chrono::Utc::now();
        let mut car = Vehicle::empty(uuid::Uuid::nil(), now);
        for field in FIELDS {
            assert_eq!(car.value(field), Value::Null, "{field}");
            car.set_value(field, &full[field]);
            assert_eq!(car.value(field), full[field], "{field}");
            assert!(shown(field, &full[field]).is_some());
        }
        for field in FIELDS {
            car.set_value(field, &Value::Null);
            assert_eq!(car.value(field), Value::Null, "{field}");
        }
        assert_eq!(shown("critAir", &json!("1")).as_deref(), Some("CLASS_1"));
        assert_eq!(shown("fuel", &json!("plugin_hybrid")).as_deref(), Some("PLUGIN_HYBRID"));
    }
}
