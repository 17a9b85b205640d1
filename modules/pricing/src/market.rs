//! Brings ads and sales into the market that estimates are compared with.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{Datelike as _, NaiveDate};
use keroxio_core::{App, Error, ErrorCode, Result, Tx};
use keroxio_plugin_sdk::{CarFacts, PriceAnswer, PriceEstimator};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::ads::{self, MarketAd};
use crate::error::refusal_sentences;
use crate::level;
use crate::sheet::{self, LineError, SheetAd};

/// Cars estimated at once: enough to be fast, few enough to be called off.
const BATCH: usize = 2_000;
/// Ads seen anew in one transaction.
const SEEN_AT_ONCE: usize = 500;
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
/// `COLUMNS_MISSING` and `BAD_INPUT` as [`sheet::read`]; `PRICES_UNRELATED` where the prices do not go with the cars,
/// as in a table whose columns slipped.
pub async fn import(app: &App, origin: &Origin<'_>, bytes: Vec<u8>, dry_run: bool) -> Result<ImportReport> {
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
    let refused = |column, fr, en| LineError { line: ad.line, column, message_fr: fr, message_en: en };
    let (range, name) = match answer {
        PriceAnswer::Estimate { range, name, .. } => (range, name),
        PriceAnswer::Refused(refusal) => {
            let (fr, en) = refusal_sentences(&refusal);
            return Err(refused("model", fr, en));
        }
    };
    let residual = (f64::from(ad.price_eur) / range.mid).ln();
    if residual.abs() > ODD.ln() {
        let estimate = range.mid.round();
        return Err(refused(
            "price",
            format!("prix invraisemblable : l'estimation est de {estimate} €"),
            format!("unlikely price: the estimate is {estimate} €"),
        ));
    }
    let word = |value: Option<serde_json::Value>| value.and_then(|v| v.as_str().map(str::to_owned));
    let int = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    Ok(MarketAd {
        id: Uuid::now_v7(),
        org_id: origin.org,
        kind: "ad".to_owned(),
        source: origin.source.to_owned(),
        reference: ad.reference.clone().unwrap_or_else(|| fingerprint(&ad.car)),
        make: name.make,
        model: name.model,
        facts: serde_json::to_value(&ad.car).unwrap_or_default(),
        age: age(&ad.car),
        mileage_km: int(ad.car.mileage_km),
        fuel: word(ad.car.fuel.and_then(|fuel| serde_json::to_value(fuel).ok())),
        power_hp: ad.car.power_hp.map(int),
        price_eur: ad.price_eur,
        seen_on: ad.car.valued_on,
        first_seen_on: ad.first_seen_on,
        gone_on: ad.gone_on,
        residual,
        estimated_by: by.to_owned(),
        created_at: app.now(),
    })
}

/// The same car by what does not change with its price; a source without names of its own is told apart by it.
fn fingerprint(car: &CarFacts) -> String {
    let same = format!(
        "{}|{}|{:?}|{}|{:?}|{}",
        car.make, car.model, car.version, car.first_registration_year, car.first_registration_month, car.mileage_km
    );
    hex::encode(&Sha256::digest(same)[..12])
}

/// Years at the day of the ad; without a month the middle of the year is assumed.
pub fn age(car: &CarFacts) -> f64 {
    let months = |year: i32, month: u32| f64::from(year) * 12.0 + f64::from(month);
    let registered = months(car.first_registration_year, car.first_registration_month.unwrap_or(7));
    ((months(car.valued_on.year(), car.valued_on.month()) - registered) / 12.0).max(0.0)
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

/// Remembers what a car of an organization's own was sold for. Nobody else ever sees it.
pub(crate) async fn record_sale(app: &App, org: Uuid, vehicle: Uuid, price_eur: i32, on: NaiveDate) -> Result<Sale> {
    if !(300..=1_000_000).contains(&price_eur) || on > app.now().date_naive() {
        return Err(Error::bad_input(
            "Indiquez un prix de 300 à 1 000 000 € et une date passée.",
            "Give a price from 300 to 1,000,000 € and a day that is past.",
        ));
    }
    let stored = keroxio_vehicle::service::fetch(app, org, vehicle).await?;
    let car = keroxio_vehicle::service::car_facts(&stored, on).map_err(|m| crate::error::facts_missing(&m))?;
    let estimator: Arc<dyn PriceEstimator> = app.get()?;
    let answers = estimator.estimate(std::slice::from_ref(&car), false).await.map_err(Error::internal)?;
    let Some(PriceAnswer::Estimate { range, .. }) = answers.first() else { return Ok(Sale { estimated: None }) };
    let interval = (range.low, range.mid, range.high);
    let ad = SheetAd {
        line: 0,
        reference: Some(vehicle.to_string()),
        car,
        price_eur,
        first_seen_on: None,
        gone_on: Some(on),
    };
    let origin = Origin { org: Some(org), source: "sale" };
    let answer = answers.into_iter().next().ok_or_else(|| Error::internal(std::io::Error::other("no answer")))?;
    let sale = priced(app, &origin, &ad, answer, &estimator.manifest().version)
        .map_err(|e| Error::bad_input(e.message_fr, e.message_en))?;
    let mut tx = app.begin().await?;
    ads::save(&mut tx, &[MarketAd { kind: "sale".to_owned(), ..sale }]).await?;
    tx.commit().await?;
    let price = f64::from(price_eur);
    let place = if price < interval.0 {
        "below"
    } else if price > interval.2 {
        "above"
    } else {
        "inside"
    };
    crate::metrics::sold(place);
    Ok(Sale { estimated: Some(interval) })
}

/// A sale, and the interval that was estimated for its day, in euros; none where there is no estimate.
pub struct Sale {
    pub estimated: Option<(f64, f64, f64)>,
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
