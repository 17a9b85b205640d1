//! The feature vector; `training/features.py` makes the same one.

use crate::encoding::{Encoding, Resolved};

const UNKNOWN: f64 = -1.0;
const LEVELS: [&str; 6] = ["brand", "model", "model_fuel", "model_trim", "model_power", "model_generation"];

pub fn vector(encoding: &Encoding, car: &Resolved) -> Vec<f32> {
    let flag = |yes: bool| if yes { 1.0 } else { 0.0 };
    let place = |list: &[String], word: &str| list.iter().position(|w| w == word).map_or(UNKNOWN, |at| at as f64);
    let mut row = vec![car.age, car.mileage_km / 1000.0, car.power_hp, car.doors, car.seats];
    row.extend(encoding.fuels.iter().take(6).map(|fuel| flag(car.fuel == *fuel)));
    row.push(match car.gearbox.as_str() {
        "manual" => 0.0,
        "automatic" => 1.0,
        _ => UNKNOWN,
    });
    row.push(place(&encoding.bodies, &car.body));
    row.push(place(&encoding.countries, &car.country));
    row.extend([car.months, car.month, engine_litres(&car.version), car.fiscal_hp]);
    row.extend(encoded(encoding, car));
    row.push(f64::from(encoding.ads_of(car)).ln_1p());
    let words: Vec<&str> = car.version.split(' ').collect();
    row.extend(encoding.words.iter().map(|word| flag(words.contains(&word.as_str()))));
    row.into_iter().map(|value| value as f32).collect()
}

/// Smoothed encodings, each falling back on its parent: level on model, model on brand, brand on all.
fn encoded(encoding: &Encoding, car: &Resolved) -> [f64; 6] {
    let keys = keys(encoding, car);
    let mut out = [0.0; 6];
    for (at, level) in LEVELS.iter().enumerate() {
        let parent = match at {
            0 => encoding.overall,
            1 => out[0],
            _ => out[1],
        };
        let cell = encoding.tables.get(*level).and_then(|table| table.get(&keys[at]));
        let (total, count) = cell.map_or((0.0, 0.0), |(total, count)| (*total, f64::from(*count)));
        let weight = encoding.smoothing.get(*level).copied().unwrap_or(12.0);
        out[at] = (total + weight * parent) / (count + weight);
    }
    out
}

fn keys(encoding: &Encoding, car: &Resolved) -> [String; 6] {
    let model = format!("{}|{}", car.brand, car.model);
    let fuel = if car.fuel.is_empty() { "?" } else { &car.fuel };
    let power = if car.power_hp > 0.0 { (car.power_hp as i64) / 10 } else { -1 };
    [
        car.brand.clone(),
        model.clone(),
        format!("{model}|{fuel}"),
        format!("{model}|{}", trim(encoding, &car.version)),
        format!("{model}|{power}"),
        format!("{model}|{}", car.year / 2),
    ]
}

/// The longest known finish found as whole words.
fn trim<'a>(encoding: &'a Encoding, version: &str) -> &'a str {
    let padded = format!(" {version} ");
    encoding.trims.iter().find(|trim| padded.contains(&format!(" {trim} "))).map_or("", String::as_str)
}

/// Displacement written like `1.5`.
fn engine_litres(version: &str) -> f64 {
    let written = |word: &&str| matches!(word.as_bytes(), [a, b'.', c] if a.is_ascii_digit() && c.is_ascii_digit());
    let litres = version.split(' ').filter(written).filter_map(|word| word.parse::<f64>().ok());
    litres.into_iter().find(|l| (0.6..=8.0).contains(l)).unwrap_or(UNKNOWN)
}
