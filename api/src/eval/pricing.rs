//! Prices labelled advertisements and compares.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::NaiveDate;
use flate2::read::MultiGzDecoder;
use keroxio_plugin_sdk::{CarFacts, PriceAnswer, PriceEstimator};
use serde::Deserialize;
use serde_json::{Value, json};

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
}

#[derive(Clone, Copy)]
struct Groups {
    fr_2026: bool,
    fr: bool,
    over_10_years: bool,
    under_10000: bool,
    electric: bool,
}

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
            outcomes.extend(batch.iter().zip(answers).map(|(ad, answer)| outcome(ad, &answer)));
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

fn outcome(ad: &Ad, answer: &PriceAnswer) -> Outcome {
    let french = ad.country.as_deref() == Some("FR");
    Outcome {
        price: ad.price,
        estimate: match answer {
            PriceAnswer::Estimate { range, .. } => Some((range.low, range.mid, range.high)),
            PriceAnswer::Refused(_) => None,
        },
        groups: Groups {
            fr_2026: french && ad.source == "as24_2026",
            fr: french,
            over_10_years: ad.age_years.is_some_and(|age| age > 10.0),
            under_10000: ad.price < 10_000.0,
            electric: ad.fuel.as_deref() == Some("electric"),
        },
    }
}

fn report(outcomes: &[Outcome]) -> Value {
    let of = |wanted: fn(&Groups) -> bool| figures(outcomes.iter().filter(|o| wanted(&o.groups)));
    let mut report = figures(outcomes.iter());
    report["groups"] = json!({
        "fr_2026": of(|g| g.fr_2026),
        "fr": of(|g| g.fr),
        "over_10_years": of(|g| g.over_10_years),
        "under_10000": of(|g| g.under_10000),
        "electric": of(|g| g.electric),
    });
    report
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
        let groups = Groups { fr_2026: false, fr: true, over_10_years: false, under_10000: false, electric: false };
        let ad = |price, estimate| Outcome { price, estimate, groups };
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
