//! The price of a car: what the model says, moved by the market, times what the purpose asks for.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;
use keroxio_core::metrics::inference;
use keroxio_core::{App, Error, Result};
use keroxio_plugin_sdk::{CarFacts, CarName, PriceAnswer, PriceContribution, PriceEstimator, PriceRange, Refusal};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ads::{self, MarketAd};
use crate::blend::{Blend, Comparable, Subject, blend};
use crate::confidence::{Grounds, PriceCautionCode, PriceConfidence, judge};
use crate::level::{self, Levels};
use crate::metrics;
use crate::purpose::{Coefficients, PricePurpose};

/// What an estimate rests on besides the model. Kept with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub label: PriceConfidence,
    pub cautions: Vec<PriceCautionCode>,
    /// What ads of late moved the model's price by, as a share of it.
    pub market_shift: f64,
    pub comparables: Vec<Comparable>,
    pub purpose: Option<PricePurpose>,
    pub coefficient: f64,
}

/// An asking price, in whole euros.
#[derive(Debug, Clone)]
pub struct Priced {
    pub low: i32,
    pub mid: i32,
    pub high: i32,
    /// Measured share of held-out ads within 10 % of the middle, for an interval of this width.
    pub confidence: f64,
    pub sample_size: u32,
    pub data_until: NaiveDate,
    pub contributions: Vec<PriceContribution>,
    pub evidence: Evidence,
}

/// The answer for one car.
#[derive(Debug, Clone)]
pub enum Quote {
    Priced(Box<Priced>),
    Refused(Refusal),
}

/// How prices are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish {
    pub purpose: Option<PricePurpose>,
    /// Whether it is told what moves the price; about ten times the work.
    pub explain: bool,
}

/// Prices of cars for an organization, one answer per car, in order.
///
/// # Errors
/// `INTERNAL` where there is no price model in this process.
pub async fn quotes(app: &App, org: Uuid, cars: &[CarFacts], wish: Wish) -> Result<Vec<Quote>> {
    let estimator: Arc<dyn PriceEstimator> = app.get()?;
    keroxio_core::metrics::batch("pricing", cars.len());
    let answers = estimator.estimate(cars, wish.explain);
    let answers = inference("pricing", &estimator.manifest().id, answers).await.map_err(Error::internal)?;
    if answers.len() != cars.len() {
        return Err(Error::internal(std::io::Error::other("the price plugin left cars out")));
    }
    let market = Market::around(app, org, cars, &answers, &estimator.manifest().version).await?;
    let coefficient = app.get::<Coefficients>()?.of(wish.purpose);
    let of = |(car, answer): (&CarFacts, PriceAnswer)| {
        let quote = market.quote(car, answer, wish.purpose, coefficient);
        metrics::quoted(matches!(quote, Quote::Priced(_)));
        quote
    };
    Ok(cars.iter().zip(answers).map(of).collect())
}

/// What is on offer around the cars in question.
struct Market {
    ads: HashMap<CarName, Vec<MarketAd>>,
    levels: Levels,
}

impl Market {
    async fn around(app: &App, org: Uuid, cars: &[CarFacts], answers: &[PriceAnswer], by: &str) -> Result<Self> {
        let mut names: Vec<CarName> = answers.iter().filter_map(name).cloned().collect();
        names.sort_by(|a, b| (&a.make, &a.model).cmp(&(&b.make, &b.model)));
        names.dedup();
        let on = cars.iter().map(|car| car.valued_on).max().unwrap_or_else(|| app.now().date_naive());
        let mut conn = app.conn().await?;
        let mut ads: HashMap<CarName, Vec<MarketAd>> = HashMap::new();
        for ad in ads::of_models(&mut conn, org, &names, on, by).await? {
            ads.entry(CarName { make: ad.make.clone(), model: ad.model.clone() }).or_default().push(ad);
        }
        Ok(Self { ads, levels: level::on(&mut conn, on).await? })
    }

    fn quote(&self, car: &CarFacts, answer: PriceAnswer, purpose: Option<PricePurpose>, coefficient: f64) -> Quote {
        let (range, confidence, sample_size, data_until, contributions, name, remarks) = match answer {
            PriceAnswer::Refused(refusal) => return Quote::Refused(refusal),
            PriceAnswer::Estimate { range, confidence, sample_size, data_until, contributions, name, remarks } => {
                (range, confidence, sample_size, data_until, contributions, name, remarks)
            }
        };
        let moved = self.moved(car, &name, &range);
        let age = car.age_years();
        let grounds =
            Grounds { within_10: confidence, ads: sample_size, age, remarks: &remarks, data_until, on: car.valued_on };
        let (label, cautions) = judge(&grounds);
        let factor = moved.shift.exp() * coefficient;
        Quote::Priced(Box::new(Priced {
            low: euros(range.low * factor),
            mid: euros(range.mid * factor),
            high: euros(range.high * factor),
            confidence,
            sample_size,
            data_until,
            contributions,
            evidence: Evidence {
                label,
                cautions,
                market_shift: moved.shift.exp_m1(),
                comparables: moved.comparables,
                purpose,
                coefficient,
            },
        }))
    }

    fn moved(&self, car: &CarFacts, name: &CarName, range: &PriceRange) -> Blend {
        let fuel = car.fuel.as_ref().and_then(keroxio_vehicle::word);
        let fuel = fuel.as_deref();
        let subject = Subject {
            age: car.age_years(),
            mileage_km: car.mileage_km.into(),
            fuel,
            power_hp: car.power_hp.map(f64::from),
            on: car.valued_on,
        };
        let ads = self.ads.get(name).map_or(&[][..], Vec::as_slice);
        blend(&subject, range.mid, self.levels.of_fuel(fuel), ads)
    }
}

fn name(answer: &PriceAnswer) -> Option<&CarName> {
    match answer {
        PriceAnswer::Estimate { name, .. } => Some(name),
        PriceAnswer::Refused(_) => None,
    }
}

/// Whole euros.
fn euros(amount: f64) -> i32 {
    amount.round().clamp(1.0, 10_000_000.0) as i32
}
