//! The feature vector; `training/features.py` makes the same one.

use crate::encoding::{Encoding, Resolved};
use crate::power::power;

pub const UNKNOWN: f64 = -1.0;
/// What the effect of a car's make, model, version and so on is looked up by, each with the level it falls back on.
const LEVELS: [(&str, Option<usize>); 14] = [
    ("brand", None),
    ("model", Some(0)),
    ("model_fuel", Some(1)),
    ("model_trim", Some(1)),
    ("model_power", Some(1)),
    ("model_gearbox", Some(1)),
    ("model_engine", Some(1)),
    ("model_start", Some(1)),
    ("model_body", Some(1)),
    ("model_country", Some(1)),
    ("hp_fuel", Some(4)),
    ("hp_fuel_gearbox_engine", Some(10)),
    ("trim_power", Some(3)),
    ("trim_power_fuel_gearbox", Some(12)),
];
const MODEL: usize = 1;
/// Markets so many months before the newest ad, or more, are alike.
const OLDEST_MARKET: f64 = 12.0;
/// Words of a version that the networks read.
const WORDS_READ: usize = 14;

pub fn vector(encoding: &Encoding, car: &Resolved) -> Vec<f32> {
    let flag = |yes: bool| if yes { 1.0 } else { 0.0 };
    let place = |list: &[String], word: &str| list.iter().position(|w| w == word).map_or(UNKNOWN, |at| at as f64);
    let mut row = vec![car.age, car.mileage_km / 1000.0, power(encoding, car), car.doors, car.seats];
    row.extend(encoding.fuels.iter().take(6).map(|fuel| flag(car.fuel == *fuel)));
    row.push(match car.gearbox.as_str() {
        "manual" => 0.0,
        "automatic" => 1.0,
        _ => UNKNOWN,
    });
    row.push(place(&encoding.bodies, &car.body));
    row.push(place(&encoding.countries, &car.country));
    row.extend([flag(car.market_year >= encoding.first_recent_year), months_ago(encoding, car), engine_litres(car)]);
    let levels = encoded(encoding, car);
    row.extend(levels);
    row.extend(["age", "km"].map(|name| slope(encoding, car, name)));
    row.extend(generations(encoding, car, levels[MODEL]));
    row.extend(word_levels(encoding, car));
    row.push(f64::from(encoding.ads_of(car)).ln_1p());
    let words: Vec<&str> = car.version.split(' ').collect();
    row.extend(encoding.words.iter().map(|word| flag(words.contains(&word.as_str()))));
    row.extend(indexes(encoding, car));
    row.into_iter().map(|value| value as f32).collect()
}

/// Mean residual of a cell, drawn towards its parent when the cell has few ads.
fn smoothed(encoding: &Encoding, level: &str, key: &str, parent: f64) -> f64 {
    let cell = encoding.tables.get(level).and_then(|table| table.get(key));
    let (total, count) = cell.map_or((0.0, 0.0), |(total, count)| (*total, f64::from(*count)));
    let weight = encoding.smoothing.get(level).copied().unwrap_or(12.0);
    (total + weight * parent) / (count + weight)
}

fn encoded(encoding: &Encoding, car: &Resolved) -> [f64; LEVELS.len()] {
    let keys = keys(encoding, car);
    let mut out = [0.0; LEVELS.len()];
    for (at, (level, parent)) in LEVELS.iter().enumerate() {
        let parent = parent.map_or(encoding.overall, |parent| out[parent]);
        out[at] = smoothed(encoding, level, &keys[at], parent);
    }
    out
}

fn keys(encoding: &Encoding, car: &Resolved) -> [String; LEVELS.len()] {
    let model = format!("{}|{}", car.brand, car.model);
    let (horses, litres) = (power(encoding, car), engine_litres(car));
    let (fuel, gearbox, trim) = (known(&car.fuel), known(&car.gearbox), trim(encoding, &car.version));
    let tens = tens(horses);
    let tenths = if litres > 0.0 { (litres * 10.0 + 0.5) as i64 } else { -1 };
    let (horses, start) = (horses as i64, car.version.split(' ').take(2).collect::<Vec<_>>().join(" "));
    [
        car.brand.clone(),
        model.clone(),
        format!("{model}|{fuel}"),
        format!("{model}|{trim}"),
        format!("{model}|{tens}"),
        format!("{model}|{gearbox}"),
        format!("{model}|{tenths}"),
        format!("{model}|{start}"),
        format!("{model}|{}", known(&car.body)),
        format!("{model}|{}", known(&car.country)),
        format!("{model}|{horses}|{fuel}"),
        format!("{model}|{horses}|{fuel}|{gearbox}|{tenths}"),
        format!("{model}|{trim}|{tens}"),
        format!("{model}|{trim}|{tens}|{fuel}|{gearbox}"),
    ]
}

fn known(text: &str) -> &str {
    if text.is_empty() { "?" } else { text }
}

/// Power in steps of ten.
fn tens(horses: f64) -> i64 {
    if horses > 0.0 { (horses as i64) / 10 } else { -1 }
}

/// How fast the model loses value with age or mileage, beside all cars; the make's where the model is unknown.
fn slope(encoding: &Encoding, car: &Resolved, name: &str) -> f64 {
    let table = encoding.slopes.get(name);
    let known = |key: &str| table.and_then(|table| table.get(key)).copied();
    known(&format!("{}|{}", car.brand, car.model)).or_else(|| known(&car.brand)).unwrap_or(0.0)
}

/// Levels of the generation: of the model, and of the model with this power and fuel where that is known.
fn generations(encoding: &Encoding, car: &Resolved, otherwise: f64) -> [f64; 2] {
    let model = format!("{}|{}", car.brand, car.model);
    let (tens, fuel) = (tens(power(encoding, car)), known(&car.fuel));
    let of_model = generation(encoding, &model, car.year, otherwise);
    [of_model, generation(encoding, &format!("{model}|{tens}|{fuel}"), car.year, of_model)]
}

/// Level of the newest generation not younger than the car: never falls when the registration year rises.
fn generation(encoding: &Encoding, key: &str, year: i32, otherwise: f64) -> f64 {
    let steps = encoding.generations.get(key).map_or(&[][..], Vec::as_slice);
    let reached = steps.iter().take_while(|(first, _)| *first <= year).last();
    reached.or(steps.first()).map_or(otherwise, |(_, level)| *level)
}

/// Months between the day of the estimate and the newest ad; none where the estimate is newer, so that the last known
/// market goes on.
fn months_ago(encoding: &Encoding, car: &Resolved) -> f64 {
    f64::from(encoding.newest_month - car.market_month).clamp(0.0, OLDEST_MARKET)
}

/// Places in the lists of the networks, from 1; 0 is what they do not know. Words each once, in their order.
fn indexes(encoding: &Encoding, car: &Resolved) -> [f64; 2 + WORDS_READ] {
    let place = |list: &str, name: &str| {
        encoding.places.get(list).and_then(|places| places.get(name)).map_or(0.0, |place| f64::from(*place))
    };
    let mut out = [0.0; 2 + WORDS_READ];
    out[0] = place("models", &format!("{}|{}", car.brand, car.model));
    out[1] = place("brands", &car.brand);
    let mut seen = Vec::new();
    for word in car.version.split(' ') {
        let index = place("words", word);
        if index > 0.0 && !seen.contains(&word) && seen.len() < WORDS_READ {
            out[2 + seen.len()] = index;
            seen.push(word);
        }
    }
    out
}

/// Mean, least and largest effect of the version's words on the price of this model.
fn word_levels(encoding: &Encoding, car: &Resolved) -> [f64; 3] {
    let mut effects = Vec::new();
    let mut seen = Vec::new();
    for word in car.version.split(' ') {
        let known = encoding.tables.get("word").is_some_and(|table| table.contains_key(word));
        if known && !seen.contains(&word) {
            seen.push(word);
            let general = smoothed(encoding, "word", word, 0.0);
            effects.push(smoothed(encoding, "model_word", &format!("{}|{}|{word}", car.brand, car.model), general));
        }
    }
    if effects.is_empty() {
        return [0.0; 3];
    }
    let mean = effects.iter().sum::<f64>() / effects.len() as f64;
    [
        mean,
        effects.iter().copied().fold(f64::INFINITY, f64::min),
        effects.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    ]
}

/// The longest known finish found as whole words.
fn trim<'a>(encoding: &'a Encoding, version: &str) -> &'a str {
    let padded = format!(" {version} ");
    encoding.trims.iter().find(|trim| padded.contains(&format!(" {trim} "))).map_or("", String::as_str)
}

/// Displacement written like `1.5`; an electric car has none.
fn engine_litres(car: &Resolved) -> f64 {
    if car.fuel == "electric" {
        return UNKNOWN;
    }
    let written = |word: &&str| matches!(word.as_bytes(), [a, b'.', c] if a.is_ascii_digit() && c.is_ascii_digit());
    let litres = car.version.split(' ').filter(written).filter_map(|word| word.parse::<f64>().ok());
    litres.into_iter().find(|l| (0.6..=8.0).contains(l)).unwrap_or(UNKNOWN)
}
