use std::collections::HashMap;

use chrono::{Datelike as _, NaiveDate};
use keroxio_plugin_sdk::{CarFacts, Refusal};
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Written by the training: the only place where texts become numbers.
#[derive(Deserialize)]
pub struct Encoding {
    pub words: Vec<String>,
    pub trims: Vec<String>,
    pub fuels: Vec<String>,
    pub bodies: Vec<String>,
    pub countries: Vec<String>,
    pub smoothing: HashMap<String, f64>,
    pub overall: f64,
    brand_aliases: HashMap<String, String>,
    brands: HashMap<String, Vec<String>>,
    /// Per level: key to sum of residuals and number of ads.
    pub tables: HashMap<String, HashMap<String, (f64, u32)>>,
    pub median_km_by_age: Vec<f64>,
}

/// A car in the words of the model; unknown numbers are -1.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    pub brand: String,
    pub model: String,
    pub version: String,
    pub year: i32,
    pub month: f64,
    pub age: f64,
    pub mileage_km: f64,
    pub fuel: String,
    pub gearbox: String,
    pub power_hp: f64,
    pub fiscal_hp: f64,
    pub doors: f64,
    pub seats: f64,
    pub body: String,
    pub country: String,
    pub months: f64,
}

/// Lower case without accents; anything but letters, digits, `.`, `+` and `!` separates words.
pub fn normalise(text: &str) -> String {
    let plain: String = text
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() || ".+!".contains(c) { c } else { ' ' })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Encoding {
    pub fn resolve(&self, car: &CarFacts) -> Result<Resolved, Refusal> {
        let brand = self.brand(&normalise(&car.make)).ok_or_else(|| Refusal::UnknownMake { make: car.make.clone() })?;
        let (model, rest) = self.model(&brand, &normalise(&car.model));
        let version = format!("{rest} {}", normalise(car.version.as_deref().unwrap_or_default()));
        let number = |n: Option<u32>| n.map_or(-1.0, f64::from);
        let word =
            |value: Option<serde_json::Value>| value.and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
        Ok(Resolved {
            brand,
            model,
            version: version.trim().to_owned(),
            year: car.first_registration_year,
            month: number(car.first_registration_month),
            age: age(car.first_registration_year, car.first_registration_month, car.valued_on),
            mileage_km: car.mileage_km.into(),
            fuel: word(car.fuel.and_then(|f| serde_json::to_value(f).ok())),
            gearbox: word(car.gearbox.and_then(|g| serde_json::to_value(g).ok())),
            power_hp: number(car.power_hp),
            fiscal_hp: number(car.fiscal_hp),
            doors: number(car.doors),
            seats: number(car.seats),
            body: car.body.clone().unwrap_or_default(),
            country: car.country.clone().unwrap_or_default(),
            months: f64::from((car.valued_on.year() - 2020) * 12) + f64::from(car.valued_on.month()),
        })
    }

    fn brand(&self, text: &str) -> Option<String> {
        let text = self.brand_aliases.get(text).map_or(text, String::as_str);
        self.brands.contains_key(text).then(|| text.to_owned())
    }

    /// The known model, and the words that follow it, which belong to the version. An unknown model
    /// keeps its first word: its cell is empty, so the brand answers for it.
    fn model(&self, brand: &str, text: &str) -> (String, String) {
        let known = self.brands.get(brand);
        let prefix = |model: &&String| text == model.as_str() || text.starts_with(&format!("{model} "));
        let longest = known.into_iter().flatten().filter(prefix).max_by_key(|model| model.len());
        if let Some(model) = longest {
            return (model.clone(), text.get(model.len()..).unwrap_or_default().trim().to_owned());
        }
        match text.split_once(' ') {
            Some((first, rest)) => (first.to_owned(), rest.to_owned()),
            None => (text.to_owned(), String::new()),
        }
    }

    /// Advertisements of this make and model seen in training.
    pub fn ads_of(&self, car: &Resolved) -> u32 {
        let key = format!("{}|{}", car.brand, car.model);
        self.tables.get("model").and_then(|t| t.get(&key)).map_or(0, |cell| cell.1)
    }
}

/// Age in years at a date; without a month the middle of the year is assumed.
pub fn age(year: i32, month: Option<u32>, on: NaiveDate) -> f64 {
    let registered = f64::from(year * 12) + f64::from(month.unwrap_or(7));
    let now = f64::from(on.year() * 12) + f64::from(on.month());
    ((now - registered) / 12.0).max(0.0)
}
