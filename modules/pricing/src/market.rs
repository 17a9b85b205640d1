//! Brings ads and sales into the market that estimates are compared with.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{Datelike as _, Months, NaiveDate};
use keroxio_core::table::LineError;
use keroxio_core::{App, Error, ErrorCode, Result, Tx};
use keroxio_plugin_sdk::{CarFacts, PriceAnswer, PriceEstimator, PriceRange};
use uuid::Uuid;

use crate::ads::{self, MarketAd};
use crate::error::refusal_sentences;
use crate::level;
use crate::sheet::{self, SheetAd};

/// Cars estimated at once: enough to be fast, few enough to be called off.
const BATCH: usize = 2_000;
/// Ads seen anew in one transaction.
const SEEN_AT_ONCE: usize = 500;
/// Characters of a source's name.
const MAX_SOURCE: usize = 60;
/// A price this many times the estimate, or this part of it, is a slip.
const ODD: f64 = 4.0;
/// Prices of this many cars that go with the estimates less than this are not their prices.
const JUDGED: usize = 50;
const LEAST_CORRELATION: f64 = 0.5;
pub const PRICES_UNRELATED: ErrorCode = ErrorCode("PRICES_UNRELATED");

/// Whose ads a table holds.
pub struct Origin<'a> {
    /// None: the operator's, for everybody.
    pub org: Option<Uuid>,
    /// Name of the source, shown with every ad.
    pub source: &'a str,
}

/// What became, or would become, of a table of ads.
pub struct ImportReport {
    pub lines: usize,
    pub accepted: usize,
    /// Accepted ones that replace what the source told before.
    pub known: usize,
    pub errors: Vec<LineError>,
    /// Median of asking price over estimate minus one.
    pub median_difference: Option<f64>,
}

/// Reads a table of ads and saves those it can; only looks at them in a dry run.
///
/// # Errors
/// `COLUMNS_MISSING` and `BAD_INPUT` as [`keroxio_core::table::Table`]; `PRICES_UNRELATED` where the prices do not go with the cars,
/// as in a table whose columns slipped.
pub async fn import(app: &App, origin: &Origin<'_>, bytes: Vec<u8>, dry_run: bool) -> Result<ImportReport> {
    if origin.source.is_empty() || origin.source.chars().count() > MAX_SOURCE {
        return Err(Error::bad_input(
            format!("Nommez la source en 1 à {MAX_SOURCE} caractères."),
            format!("Name the source in 1 to {MAX_SOURCE} characters."),
        ));
    }
    let today = app.now().date_naive();
    let rows = tokio::task::spawn_blocking(move || sheet::read(&bytes, today)).await.map_err(Error::internal)??;
    let lines = rows.len();
    let mut errors: Vec<LineError> = Vec::new();
    let mut cars = Vec::with_capacity(rows.len());
    for row in rows {
        match row {
            Ok(ad) => cars.push(ad),
            Err(error) => errors.push(error),
        }
    }
    let estimator: Arc<dyn PriceEstimator> = app.get()?;
    let mut taken = Vec::with_capacity(cars.len());
    for batch in cars.chunks(BATCH) {
        let facts: Vec<CarFacts> = batch.iter().map(|ad| ad.car.clone()).collect();
        let answers = estimator.estimate(&facts, false).await.map_err(Error::internal)?;
        for (ad, answer) in batch.iter().zip(answers) {
            match priced(app, origin, ad, answer, &estimator.manifest().version) {
                Ok(ad) => taken.push(ad),
                Err(error) => errors.push(error),
            }
        }
    }
    let taken = latest_of_each(taken);
    check_prices(&taken)?;
    errors.sort_by_key(|error| error.line);
    let median_difference = median(taken.iter().map(|ad| ad.residual).collect()).map(f64::exp_m1);
    let references: Vec<String> = taken.iter().map(|ad| ad.reference.clone()).collect();
    let mut tx = app.begin().await?;
    let known = ads::known(&mut tx, origin.org, origin.source, &references).await?;
    if !dry_run {
        keep(&mut tx, &taken, &estimator.manifest().version).await?;
        tx.commit().await?;
    }
    let known = usize::try_from(known).unwrap_or(0);
    Ok(ImportReport { lines, accepted: taken.len(), known, errors, median_difference })
}

/// Saves ads and what they say about the level of the market.
async fn keep(tx: &mut Tx, taken: &[MarketAd], estimated_by: &str) -> Result<()> {
    ads::save(tx, taken).await?;
    level::refresh(tx, estimated_by).await?;
    let today = tx.app().now().date_naive();
    level::report(tx, today).await
}

fn priced(app: &App, origin: &Origin<'_>, ad: &SheetAd, answer: PriceAnswer, by: &str) -> Result<MarketAd, LineError> {
    let refused = |column, fr, en| LineError::new(ad.line, column, fr, en);
    let (range, name) = match answer {
        PriceAnswer::Estimate { range, name, .. } => (range, name),
        PriceAnswer::Refused(refusal) => {
            let (fr, en) = refusal_sentences(&refusal);
            return Err(refused("model", fr, en));
        }
    };
    let offer = MarketAd::of(&ad.car, &name, ad.price_eur, range.mid);
    if offer.residual.abs() > ODD.ln() {
        let estimate = range.mid.round();
        return Err(refused(
            "price",
            format!("prix invraisemblable : l'estimation est de {estimate} €"),
            format!("unlikely price: the estimate is {estimate} €"),
        ));
    }
    Ok(MarketAd {
        org_id: origin.org,
        source: origin.source.to_owned(),
        reference: ad.reference.clone().unwrap_or_else(|| offer.reference.clone()),
        first_seen_on: ad.first_seen_on,
        gone_on: ad.gone_on,
        estimated_by: by.to_owned(),
        created_at: app.now(),
        ..offer
    })
}

/// A statement cannot replace a row twice.
fn latest_of_each(ads: Vec<MarketAd>) -> Vec<MarketAd> {
    let mut latest: HashMap<String, MarketAd> = HashMap::with_capacity(ads.len());
    for ad in ads {
        match latest.get(&ad.reference) {
            Some(other) if other.seen_on > ad.seen_on => {}
            _ => drop(latest.insert(ad.reference.clone(), ad)),
        }
    }
    let mut ads: Vec<MarketAd> = latest.into_values().collect();
    // Everybody locks rows in this order.
    ads.sort_by(|a, b| a.reference.cmp(&b.reference));
    ads
}

fn check_prices(ads: &[MarketAd]) -> Result<()> {
    if ads.len() < JUDGED {
        return Ok(());
    }
    let pairs: Vec<(f64, f64)> = ads.iter().map(|ad| (f64::from(ad.price_eur).ln(), ad.residual)).collect();
    let pairs: Vec<(f64, f64)> = pairs.into_iter().map(|(price, residual)| (price, price - residual)).collect();
    if correlation(&pairs) >= LEAST_CORRELATION {
        return Ok(());
    }
    Err(Error::new(
        PRICES_UNRELATED,
        "Les prix de ce fichier sont sans rapport avec les voitures : vérifiez que ses colonnes ne sont pas décalées.",
        "The prices of this file have nothing to do with the cars: check that its columns have not slipped.",
    ))
}

fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len().max(1) as f64;
    let (mx, my) = pairs.iter().fold((0.0, 0.0), |(x, y), (a, b)| (x + a / n, y + b / n));
    let sum = |of: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|(a, b)| of(a - mx, b - my)).sum::<f64>();
    let spread = (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt();
    if spread > 0.0 { sum(&|a, b| a * b) / spread } else { 0.0 }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Remembers what a car of an organization's own was sold for. Nobody else ever sees it. None, and nothing kept, where
/// the model refuses the car.
pub(crate) async fn record_sale(
    app: &App,
    org: Uuid,
    vehicle: Uuid,
    price_eur: i32,
    on: NaiveDate,
) -> Result<Option<Sale>> {
    if !(300..=1_000_000).contains(&price_eur) || on > app.now().date_naive() {
        return Err(Error::bad_input(
            "Indiquez un prix de 300 à 1 000 000 € et une date passée.",
            "Give a price from 300 to 1,000,000 € and a day that is past.",
        ));
    }
    let stored = keroxio_vehicle::service::fetch(app, org, vehicle).await?;
    let car = keroxio_vehicle::service::car_facts(&stored, on).map_err(|m| crate::error::facts_missing(&m))?;
    let estimator: Arc<dyn PriceEstimator> = app.get()?;
    let answer = estimator.estimate(std::slice::from_ref(&car), false).await.map_err(Error::internal)?.pop();
    let Some(answer @ PriceAnswer::Estimate { range, .. }) = answer else { return Ok(None) };
    let origin = Origin { org: Some(org), source: "sale" };
    let reference = Some(vehicle.to_string());
    let ad = SheetAd { line: 0, reference, car, price_eur, first_seen_on: None, gone_on: Some(on) };
    let sale = priced(app, &origin, &ad, answer, &estimator.manifest().version)
        .map_err(|e| Error::bad_input(e.message_fr, e.message_en))?;
    let mut conn = app.conn().await?;
    ads::save(&mut conn, &[MarketAd { kind: "sale".to_owned(), ..sale }]).await?;
    let place = Place::of(f64::from(price_eur), &range);
    crate::metrics::sold(place);
    Ok(Some(Sale { place, estimated: range.mid }))
}

/// Where a price lies beside the interval that was estimated for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Below,
    Inside,
    Above,
}

impl Place {
    fn of(price: f64, range: &PriceRange) -> Self {
        match price {
            price if price < range.low => Self::Below,
            price if price > range.high => Self::Above,
            _ => Self::Inside,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Below => "below",
            Self::Inside => "inside",
            Self::Above => "above",
        }
    }
}

/// A sale beside what was estimated for its day, in euros.
pub struct Sale {
    pub place: Place,
    pub estimated: f64,
}

/// How far the market was from the model in the months of a year, latest first.
pub(crate) async fn drift(app: &App) -> Result<Vec<level::Month>> {
    let today = app.now().date_naive();
    let since = today.with_day(1).and_then(|first| first.checked_sub_months(Months::new(12))).unwrap_or(today);
    level::months(&mut *app.conn().await?, since, today).await
}

/// Sees ads anew that another model saw, a batch at a time. Answers whether there may be more.
pub(crate) async fn see_anew(app: &App) -> Result<bool> {
    let estimator: Arc<dyn PriceEstimator> = app.get()?;
    let by = &estimator.manifest().version;
    let mut tx = app.begin().await?;
    let mut outdated = ads::outdated(&mut tx, by, SEEN_AT_ONCE as i64).await?;
    let facts: Vec<Option<CarFacts>> =
        outdated.iter().map(|ad| serde_json::from_value(ad.facts.clone()).ok()).collect();
    let known: Vec<CarFacts> = facts.iter().flatten().cloned().collect();
    let mut answers = estimator.estimate(&known, false).await.map_err(Error::internal)?.into_iter();
    for (ad, facts) in outdated.iter_mut().zip(facts) {
        match facts.and_then(|_| answers.next()) {
            Some(PriceAnswer::Estimate { range, name, .. }) => {
                ad.residual = (f64::from(ad.price_eur) / range.mid).ln();
                ad.estimated_by.clone_from(by);
                (ad.make, ad.model) = (name.make, name.model);
            }
            _ => ad.estimated_by = ads::refused_by(by),
        }
        ads::see(&mut tx, ad).await?;
    }
    let more = outdated.len() == SEEN_AT_ONCE;
    if !more {
        level::refresh(&mut tx, by).await?;
        let today = app.now().date_naive();
        level::report(&mut tx, today).await?;
    }
    tx.commit().await?;
    Ok(more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_that_follow_the_cars_are_told_from_others() {
        let follows: Vec<(f64, f64)> = (0..100).map(|n| (f64::from(n), f64::from(n) + f64::from(n % 7))).collect();
        assert!(correlation(&follows) > 0.99);
        let constant: Vec<(f64, f64)> = (0..100).map(|n| (9.0, f64::from(n))).collect();
        assert_eq!(correlation(&constant), 0.0);
        let unrelated: Vec<(f64, f64)> = (0..100).map(|n| (f64::from(n * 37 % 100), f64::from(n))).collect();
        assert!(correlation(&unrelated).abs() < 0.3);
    }
}
