use std::collections::HashMap;

use chrono::{Datelike as _, NaiveDate};
use keroxio_plugin_sdk::{CarFacts, PriceRemark, Refusal, age_years};
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::names;

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
    /// Per `age` and `km`: make, or make and model, to the residual per year or per 30,000 km.
    pub slopes: HashMap<String, HashMap<String, f64>>,
    /// Per make and model: first registration year and level, never falling with the year.
    pub generations: HashMap<String, Vec<(i32, f64)>>,
    pub power_units: Vec<String>,
    pub engine_words: Vec<String>,
    pub first_recent_year: i32,
    /// Month of the newest ad, counted from the year 0.
    pub newest_month: i32,
    /// Lists of the networks: name to place, from 1.
    pub places: HashMap<String, HashMap<String, u32>>,
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
    pub doors: f64,
    pub seats: f64,
    pub body: String,
    pub country: String,
    /// Year in which the price is asked.
    pub market_year: i32,
    /// Month in which the price is asked, counted from the year 0.
    pub market_month: i32,
    pub remarks: Vec<PriceRemark>,
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

/// `308sw` is `308 sw`, `clio4` is `clio 4`, `1.5dci` is `1.5 dci`; but `c4`, `118d` and `16v` are names.
pub fn unglue(words: &str) -> String {
    let bytes = words.as_bytes();
    let letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_lowercase);
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut out = String::with_capacity(words.len() + 8);
    for (at, c) in words.char_indices() {
        let unit_follows = at >= 1 && digit(at - 1) && letter(at) && letter(at + 1);
        let number_follows = at >= 3 && digit(at) && (1..=3).all(|back| letter(at - back));
        if unit_follows || number_follows {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

impl Encoding {
    pub fn resolve(&self, car: &CarFacts) -> Result<Resolved, Refusal> {
        let (brand, text) = self.brand_and_rest(car).ok_or_else(|| Refusal::UnknownMake { make: car.make.clone() })?;
        let (model, rest) = self.model(&brand, &text);
        let version = unglue(&format!("{rest} {}", normalise(car.version.as_deref().unwrap_or_default())));
        let month = car.first_registration_month.filter(|month| (1..=12).contains(month));
        let number = |n: Option<u32>| n.map_or(-1.0, f64::from);
        let word =
            |value: Option<serde_json::Value>| value.and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
        Ok(Resolved {
            brand,
            model,
            version: version.trim().to_owned(),
            year: car.first_registration_year,
            month: number(month),
            age: age_years(car.first_registration_year, month, car.valued_on),
            mileage_km: car.mileage_km.into(),
            fuel: word(car.fuel.and_then(|f| serde_json::to_value(f).ok())),
            gearbox: word(car.gearbox.and_then(|g| serde_json::to_value(g).ok())),
            power_hp: number(car.power_hp),
            doors: number(car.doors),
            seats: number(car.seats),
            body: car.body.clone().unwrap_or_default(),
            country: car.country.clone().unwrap_or_default(),
            market_year: car.valued_on.year(),
            market_month: months(car.valued_on),
            remarks: Vec::new(),
        })
    }

    /// The make, and what is left of the model field once the make is taken out of it: sellers type
    /// "Renault Clio" as a make or as a model.
    fn brand_and_rest(&self, car: &CarFacts) -> Option<(String, String)> {
        let (make, model) = (normalise(&car.make), normalise(&car.model));
        if let Some(brand) = self.brand(&make) {
            let rest = [make.as_str(), brand.as_str()].into_iter().find_map(|name| after(&model, name));
            let named = self.brands.get(&brand).is_some_and(|known| known.contains(&model));
            return Some((brand, rest.filter(|rest| !named && !rest.is_empty()).unwrap_or(&model).to_owned()));
        }
        [format!("{make} {model}"), model].iter().map(|text| text.trim()).find_map(|text| self.leading_brand(text))
    }

    fn leading_brand(&self, text: &str) -> Option<(String, String)> {
        let names = self.brands.keys().chain(self.brand_aliases.keys());
        let (name, rest) =
            names.filter_map(|name| after(text, name).map(|rest| (name, rest))).max_by_key(|(name, _)| name.len())?;
        Some((self.brand(name)?, rest.to_owned()))
    }

    fn brand(&self, text: &str) -> Option<String> {
        let text = self.brand_aliases.get(text).map_or(text, String::as_str);
        self.brands.contains_key(text).then(|| text.to_owned())
    }

    /// The known model, and the words that follow it, which belong to the version. An unknown model
    /// keeps its first word: its cell is empty, so the brand answers for it.
    fn model(&self, brand: &str, text: &str) -> (String, String) {
        let apart = unglue(text);
        let renamed = names::usual(brand, text);
        if let Some(found) = renamed.and_then(|text| self.leading_model(brand, &text)) {
            return found;
        }
        if let Some(found) = self.leading_model(brand, text).or_else(|| self.leading_model(brand, &apart)) {
            return found;
        }
        let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
        (first.to_owned(), rest.to_owned())
    }

    fn leading_model(&self, brand: &str, text: &str) -> Option<(String, String)> {
        let known = self.brands.get(brand)?.iter();
        let (model, rest) = known
            .filter_map(|model| after(text, model).map(|rest| (model, rest)))
            .max_by_key(|(model, _)| model.len())?;
        Some((model.clone(), rest.to_owned()))
    }

    /// The fuel that most ads of this model have which is not the car's own; none where it is not known.
    pub fn other_fuel(&self, car: &Resolved) -> Option<&str> {
        let ads = |fuel: &String| {
            let key = format!("{}|{}|{fuel}", car.brand, car.model);
            self.tables.get("model_fuel").and_then(|table| table.get(&key)).map_or(0, |cell| cell.1)
        };
        let others = self.fuels.iter().filter(|fuel| !car.fuel.is_empty() && **fuel != car.fuel && ads(fuel) > 0);
        others.max_by_key(|fuel| ads(fuel)).map(String::as_str)
    }

    /// Advertisements of this make and model seen in training.
    pub fn ads_of(&self, car: &Resolved) -> u32 {
        let key = format!("{}|{}", car.brand, car.model);
        self.tables.get("model").and_then(|t| t.get(&key)).map_or(0, |cell| cell.1)
    }
}

/// What follows a name that starts a text as whole words.
fn after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(name)?;
    (rest.is_empty() || rest.starts_with(' ')).then(|| rest.trim_start())
}

fn months(on: NaiveDate) -> i32 {
    on.year() * 12 + i32::try_from(on.month()).unwrap_or(1)
}
