use async_trait::async_trait;
use chrono::{Datelike as _, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::{Manifest, PluginError};

/// Energy of the engine (SIV field P.3, grouped as advertisements do).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fuel {
    Petrol,
    Diesel,
    Hybrid,
    PluginHybrid,
    Electric,
    Lpg,
    Cng,
    Ethanol,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gearbox {
    Manual,
    Automatic,
}

/// What is known of a car when its price is asked. Texts are as the seller wrote them: the
/// plugin normalises make, model and version itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CarFacts {
    pub make: String,
    pub model: String,
    /// Version, trim and engine as advertised, for instance `1.5 dCi 90 Business`.
    pub version: Option<String>,
    /// Year of first registration (SIV field B).
    pub first_registration_year: i32,
    /// Month of first registration, 1 to 12.
    pub first_registration_month: Option<u32>,
    pub mileage_km: u32,
    pub fuel: Option<Fuel>,
    pub gearbox: Option<Gearbox>,
    /// DIN horsepower (ch).
    pub power_hp: Option<u32>,
    /// French fiscal power (SIV field P.6).
    pub fiscal_hp: Option<u32>,
    pub doors: Option<u32>,
    pub seats: Option<u32>,
    /// Body as in the advertisements: `suv`, `sedan_hatch`, `estate`, `city`, `van`, `coupe`, `cabriolet`, `pickup`.
    pub body: Option<String>,
    /// ISO 3166 alpha-2 country of sale; `FR` unless the data says otherwise.
    pub country: Option<String>,
    /// Day for which the price is asked.
    pub valued_on: NaiveDate,
}

impl CarFacts {
    /// [`age_years`] on the day for which the price is asked.
    pub fn age_years(&self) -> f64 {
        age_years(self.first_registration_year, self.first_registration_month, self.valued_on)
    }
}

/// Age of a car in years, by months; without a month of registration the middle of the year is assumed.
pub fn age_years(year: i32, month: Option<u32>, on: NaiveDate) -> f64 {
    let months = |year: i32, month: u32| f64::from(year) * 12.0 + f64::from(month);
    ((months(on.year(), on.month()) - months(year, month.unwrap_or(7))) / 12.0).max(0.0)
}

/// Price of a car on its market, whole euros, all taxes included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PriceRange {
    pub low: f64,
    pub mid: f64,
    pub high: f64,
}

/// How much a known fact moves the price, measured by asking the model again with the fact changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceContribution {
    /// Stable name: `mileage`, `age`, `version`, `gearbox`, `fuel`, `power`.
    pub fact: String,
    /// Signed euros against the reference car of that variant.
    pub euros: f64,
}

/// Why no price is given; each variant tells the seller what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Refusal {
    /// The make is in no advertisement we know.
    UnknownMake { make: String },
    /// The model is not among the known models of that make.
    UnknownModel { make: String, model: String },
    /// A value no car can have, for instance a year of 1890.
    OutOfRange { field: String },
}

/// Make and model in one spelling.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CarName {
    pub make: String,
    pub model: String,
}

/// What the plugin had to make of the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceRemark {
    /// No power is given and none is written in the version: it is what prices depend on most.
    PowerUnknown,
    /// No car of this model has this many horsepower, but many have as many kilowatts: it was taken for these.
    PowerInKilowatts,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PriceAnswer {
    Estimate {
        /// Interval meant to hold 80 % of asking prices.
        range: PriceRange,
        /// Share, measured on held-out ads with an interval of this width, priced within 10 % of `mid`.
        confidence: f64,
        /// Advertisements of this make and model behind the answer.
        sample_size: u32,
        /// Last day of the data behind the answer.
        data_until: NaiveDate,
        contributions: Vec<PriceContribution>,
        /// The car by the names the plugin gives to makes and models, however they were typed.
        name: CarName,
        remarks: Vec<PriceRemark>,
    },
    Refused(Refusal),
}

/// Estimates asking prices.
#[async_trait]
pub trait PriceEstimator: Send + Sync {
    fn manifest(&self) -> &Manifest;

    /// One answer per car, in order. `explain` also fills the contributions (about ten times the work).
    ///
    /// # Errors
    /// See [`PluginError`]; a car that cannot be priced is a [`PriceAnswer::Refused`], not an error.
    async fn estimate(&self, cars: &[CarFacts], explain: bool) -> Result<Vec<PriceAnswer>, PluginError>;
}
