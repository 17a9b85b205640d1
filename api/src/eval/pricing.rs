//! Prices labelled advertisements and compares.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::NaiveDate;
use flate2::read::MultiGzDecoder;
use keroxio_plugin_sdk::{CarFacts, PriceAnswer, PriceEstimator};
use keroxio_pricing::MarketAd;
use keroxio_pricing::blend::{Subject, blend};
use serde::Deserialize;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

const BATCH: usize = 2_000;

#[derive(Deserialize)]
struct Ad {
    source: String,
    country: Option<String>,
    ad_date: String,
    brand: String,
    model: String,
    version: Option<String>,
    year: f64,
    month: Option<f64>,
    mileage_km: f64,
    fuel: Option<String>,
    gearbox: Option<String>,
    power_hp: Option<f64>,
    fiscal_hp: Option<f64>,
    doors: Option<f64>,
    seats: Option<f64>,
    body: Option<String>,
    age_years: Option<f64>,
    price: f64,
}

/// One priced advertisement.
struct Outcome {
    price: f64,
    estimate: Option<(f64, f64, f64)>,
    groups: Groups,
    /// As the market would keep it; none of what was refused.
    ad: Option<MarketAd>,
}

#[derive(Clone)]
struct Groups {
    fr_2026: bool,
    fr: bool,
    over_10_years: bool,
    under_10000: bool,
    electric: bool,
    /// Whether the training of the shipped model left it out.
    held_out: bool,
    /// Age, price and fuel together, as intervals are calibrated.
    cell: String,
}

const AGE_BANDS: [f64; 3] = [3.0, 6.0, 10.0];
const PRICE_BANDS: [f64; 3] = [10_000.0, 20_000.0, 40_000.0];
/// Groups of this many ads have to be covered each.
const LARGE: usize = 200;
/// Hundredths of the cars that the training leaves out.
const HELD_OUT: u32 = 15;

/// Estimates every row of every `ads_eur_*.csv.gz` in the folder.
///
/// # Errors
/// When a file cannot be read or the plugin fails.
pub async fn run(data: &Path, estimator: &dyn PriceEstimator) -> anyhow::Result<Value> {
    let mut outcomes = Vec::new();
    for path in files(data)? {
        let mut reader = csv::Reader::from_reader(MultiGzDecoder::new(File::open(&path)?));
        let ads = reader.deserialize().collect::<Result<Vec<Ad>, _>>().with_context(|| path.display().to_string())?;
        for batch in ads.chunks(BATCH) {
            let cars = batch.iter().map(facts).collect::<anyhow::Result<Vec<_>>>()?;
            let answers = estimator.estimate(&cars, false).await?;
            let rows = batch.iter().zip(cars).zip(answers);
            outcomes.extend(rows.map(|((ad, car), answer)| outcome(ad, &car, &answer)));
        }
    }
    anyhow::ensure!(!outcomes.is_empty(), "{} holds no ads_eur_*.csv.gz with rows", data.display());
    Ok(report(&outcomes))
}

fn files(data: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(data).with_context(|| data.display().to_string())?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|e| e.path())).collect();
    files.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("ads_eur_") && name.ends_with(".csv.gz")
    });
    files.sort();
    Ok(files)
}

fn facts(ad: &Ad) -> anyhow::Result<CarFacts> {
    let whole = |number: Option<f64>| number.map(|n| n.round() as u32);
    let word = |text: &Option<String>| serde_json::from_value(json!(text)).ok();
    Ok(CarFacts {
        make: ad.brand.clone(),
        model: ad.model.clone(),
        version: ad.version.clone(),
        first_registration_year: ad.year as i32,
        first_registration_month: whole(ad.month),
        mileage_km: ad.mileage_km as u32,
        fuel: word(&ad.fuel),
        gearbox: ad.gearbox.as_ref().and_then(|g| serde_json::from_value(json!(g)).ok()),
        power_hp: whole(ad.power_hp),
        fiscal_hp: whole(ad.fiscal_hp),
        doors: whole(ad.doors),
        seats: whole(ad.seats),
        body: ad.body.clone(),
        country: ad.country.clone(),
        valued_on: NaiveDate::parse_from_str(ad.ad_date.get(..10).unwrap_or(&ad.ad_date), "%Y-%m-%d")?,
    })
}

fn outcome(ad: &Ad, car: &CarFacts, answer: &PriceAnswer) -> Outcome {
    let french = ad.country.as_deref() == Some("FR");
    let electric = ad.fuel.as_deref() == Some("electric");
    let (estimate, kept) = match answer {
        PriceAnswer::Estimate { range, name, .. } => {
            (Some((range.low, range.mid, range.high)), Some(MarketAd::of(car, name, ad.price as i32, range.mid)))
        }
        PriceAnswer::Refused(_) => (None, None),
    };
    let band = |value: f64, edges: [f64; 3]| edges.iter().filter(|edge| value >= **edge).count();
    let mid = estimate.map_or(0.0, |(_, mid, _)| mid);
    let energy = if electric { ":electric" } else { "" };
    Outcome {
        price: ad.price,
        estimate,
        groups: Groups {
            fr_2026: french && ad.source == "as24_2026",
            fr: french,
            over_10_years: ad.age_years.is_some_and(|age| age > 10.0),
            under_10000: ad.price < 10_000.0,
            electric,
            held_out: hundredth(ad) < HELD_OUT,
            cell: format!("{}:{}{energy}", band(car.age_years(), AGE_BANDS), band(mid, PRICE_BANDS)),
        },
        ad: kept,
    }
}

/// Which of a hundred parts a car belongs to: `training/train.py` splits by the same.
fn hundredth(ad: &Ad) -> u32 {
    let month = ad.month.map_or("nan".to_owned(), |month| format!("{month:.1}"));
    let key = format!("{}|{}|{}|{month}|{}", ad.brand, ad.model, ad.year as i64, ad.mileage_km as i64);
    Sha1::digest(key).iter().fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % 100)
}

fn report(outcomes: &[Outcome]) -> Value {
    let mut report = by_group(outcomes.iter());
    let held_out: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.groups.held_out).collect();
    report["held_out"] = by_group(held_out.iter().copied());
    report["held_out"]["fr_2026_with_market"] = with_market(&held_out);
    report
}

fn by_group<'a>(outcomes: impl Iterator<Item = &'a Outcome> + Clone) -> Value {
    let of = |wanted: fn(&Groups) -> bool| figures(outcomes.clone().filter(|o| wanted(&o.groups)));
    let mut report = figures(outcomes.clone());
    report["groups"] = json!({
        "fr_2026": of(|g| g.fr_2026),
        "fr": of(|g| g.fr),
        "over_10_years": of(|g| g.over_10_years),
        "under_10000": of(|g| g.under_10000),
        "electric": of(|g| g.electric),
    });
    let mut cells: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        cells.entry(&outcome.groups.cell).or_default().push(outcome);
    }
    let large = cells.into_iter().filter(|(_, ads)| ads.len() >= LARGE);
    let covered: BTreeMap<&str, Value> =
        large.map(|(cell, ads)| (cell, figures(ads.into_iter())["coverage_80"].clone())).collect();
    let worst = covered.values().filter_map(Value::as_f64).min_by(f64::total_cmp);
    report["least_coverage_of_large_cells"] = json!(worst);
    report["coverage_by_cell"] = json!(covered);
    report
}

/// The French ads of 2026 that the training left out, day by day, each moved by those of the days before: what the
/// market of an operator's own ads adds.
fn with_market(held_out: &[&Outcome]) -> Value {
    let mut ads: Vec<(&Outcome, &MarketAd)> = held_out
        .iter()
        .filter(|outcome| outcome.groups.fr_2026)
        .filter_map(|outcome| outcome.ad.as_ref().map(|ad| (*outcome, ad)))
        .collect();
    ads.sort_by_key(|(_, ad)| ad.seen_on);
    let mut seen: HashMap<(&str, &str), Vec<MarketAd>> = HashMap::new();
    let mut moved = Vec::with_capacity(ads.len());
    for day in ads.chunk_by(|(_, a), (_, b)| a.seen_on == b.seen_on) {
        for (outcome, ad) in day {
            let near = seen.get(&(ad.make.as_str(), ad.model.as_str())).map_or(&[][..], Vec::as_slice);
            let subject = Subject {
                age: ad.age,
                mileage_km: ad.mileage_km.into(),
                fuel: ad.fuel.as_deref(),
                power_hp: ad.power_hp.map(f64::from),
                on: ad.seen_on,
            };
            let estimate = outcome.estimate.map(|(low, mid, high)| {
                let factor = blend(&subject, mid, 0.0, near).shift.exp();
                (low * factor, mid * factor, high * factor)
            });
            moved.push(Outcome { price: outcome.price, estimate, groups: outcome.groups.clone(), ad: None });
        }
        for (_, ad) in day {
            seen.entry((&ad.make, &ad.model)).or_default().push((*ad).clone());
        }
    }
    figures(moved.iter())
}

/// Shares from 0 to 1; `median_ape`, `mape` and `bias` (median signed error) in percent.
fn figures<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Value {
    let (mut n, mut priced) = (0_usize, Vec::new());
    for outcome in outcomes {
        n += 1;
        priced.extend(outcome.estimate.map(|estimate| (outcome.price, estimate)));
    }
    let share = |count: usize, of: usize| if of == 0 { 0.0 } else { count as f64 / of as f64 };
    let mut errors: Vec<f64> = priced.iter().map(|(price, (_, mid, _))| mid / price - 1.0).collect();
    errors.sort_by(f64::total_cmp);
    let mut sizes: Vec<f64> = errors.iter().map(|e| e.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let middle = |sorted: &[f64]| sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / priced.len().max(1) as f64;
    let within = |limit: f64| share(sizes.iter().filter(|e| **e <= limit).count(), sizes.len());
    let covered = priced.iter().filter(|(price, (low, _, high))| (*low..=*high).contains(price)).count();
    json!({
        "n": n,
        "median_ape": middle(&sizes) * 100.0,
        "mape": mean(&mut sizes.iter().copied()) * 100.0,
        "within_10": within(0.1),
        "within_20": within(0.2),
        "bias": middle(&errors) * 100.0,
        "coverage_80": share(covered, priced.len()),
        "mean_width": mean(&mut priced.iter().map(|(_, (low, mid, high))| (high - low) / mid)),
        "abstained": share(n - priced.len(), n),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_what_they_say() {
        let groups = Groups {
            fr_2026: false,
            fr: true,
            over_10_years: false,
            under_10000: false,
            electric: false,
            held_out: false,
            cell: "1:1".to_owned(),
        };
        let ad = |price, estimate| Outcome { price, estimate, groups: groups.clone(), ad: None };
        let outcomes = [
            ad(10_000.0, Some((9_000.0, 10_500.0, 12_000.0))),
            ad(10_000.0, Some((11_000.0, 12_500.0, 14_000.0))),
            ad(10_000.0, Some((8_000.0, 9_000.0, 10_000.0))),
            ad(10_000.0, None),
        ];
        let report = report(&outcomes);
        assert_eq!(report["n"], 4);
        assert_eq!(report["abstained"], 0.25);
        assert!((report["median_ape"].as_f64().unwrap_or(0.0) - 10.0).abs() < 1e-9);
        assert!((report["within_20"].as_f64().unwrap_or(0.0) - 2.0 / 3.0).abs() < 1e-9);
        assert!((report["coverage_80"].as_f64().unwrap_or(0.0) - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!(report["groups"]["fr"]["n"], 4);
        assert_eq!(report["groups"]["electric"]["n"], 0);
    }
}
