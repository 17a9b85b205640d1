//! How strong a car is: what prices depend on most.

use keroxio_plugin_sdk::PriceRemark;

use crate::encoding::{Encoding, Resolved};
use crate::features::UNKNOWN;

const HP_PER_KW: f64 = 1.359_62;
/// Ads of a model at a power, in steps of ten, from which it is believed to exist.
const MANY: u32 = 5;
/// Ads of a model from which it is believed that powers not among them do not exist.
const WELL_KNOWN: u32 = 30;
/// Rounding of either unit, in horsepower.
const ROUNDING: f64 = 2.0;

/// Horsepower as declared, else as written in the version: `90 ch`, `dci 90`.
pub fn power(encoding: &Encoding, car: &Resolved) -> f64 {
    if (20.0..=1500.0).contains(&car.power_hp) { car.power_hp } else { written(encoding, &car.version) }
}

fn written(encoding: &Encoding, version: &str) -> f64 {
    let words: Vec<&str> = version.split(' ').collect();
    let said = |list: &[String], at: Option<usize>| {
        at.and_then(|at| words.get(at)).is_some_and(|word| list.iter().any(|known| known == word))
    };
    for (at, word) in words.iter().enumerate() {
        let horses = if word.len() <= 3 { word.parse::<u32>().unwrap_or(0) } else { 0 };
        let marked = said(&encoding.power_units, Some(at + 1)) || said(&encoding.engine_words, at.checked_sub(1));
        // A sign would parse too: "+90" is no number in the training either.
        if (40..=700).contains(&horses) && word.bytes().all(|b| b.is_ascii_digit()) && marked {
            return f64::from(horses);
        }
    }
    UNKNOWN
}

/// Reads kilowatts typed as horsepower for what they are, where the ads leave no doubt, and says what is not known.
pub fn settle(encoding: &Encoding, car: &mut Resolved) {
    let converted = (car.power_hp * HP_PER_KW).round();
    if car.power_hp > 0.0 && is_in_kilowatts(encoding, car, converted) {
        car.power_hp = converted;
        car.remarks.push(PriceRemark::PowerInKilowatts);
    }
    if power(encoding, car) == UNKNOWN {
        car.remarks.push(PriceRemark::PowerUnknown);
    }
}

fn is_in_kilowatts(encoding: &Encoding, car: &Resolved, converted: f64) -> bool {
    let said = written(encoding, &car.version);
    if said != UNKNOWN {
        return (said - converted).abs() <= ROUNDING && (said - car.power_hp).abs() > 2.0 * ROUNDING;
    }
    let ads = |horses: f64| {
        let key = format!("{}|{}|{}", car.brand, car.model, horses as i64 / 10);
        encoding.tables.get("model_power").and_then(|table| table.get(&key)).map_or(0, |cell| cell.1)
    };
    let near = |horses: f64| [-10.0, 0.0, 10.0].iter().map(|step| ads(horses + step)).sum::<u32>();
    encoding.ads_of(car) >= WELL_KNOWN && near(car.power_hp) == 0 && ads(converted) >= MANY
}
