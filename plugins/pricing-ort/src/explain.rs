//! What moves a price: the same car with one fact made neutral, asked in one batch.

use keroxio_plugin_sdk::{PluginError, PriceContribution};

use crate::Inner;
use crate::encoding::Resolved;

type Variant = (&'static str, fn(&Inner, &Resolved) -> Option<Resolved>);

const VARIANTS: [Variant; 6] = [
    ("mileage", |inner, car| {
        let usual = *inner.encoding.median_km_by_age.get(car.age as usize)?;
        Some(Resolved { mileage_km: usual, ..car.clone() })
    }),
    ("age", |_, car| Some(Resolved { age: car.age + 1.0, ..car.clone() })),
    ("version", |_, car| (!car.version.is_empty()).then(|| Resolved { version: String::new(), ..car.clone() })),
    ("gearbox", |_, car| {
        let other = if car.gearbox == "automatic" { "manual" } else { "automatic" };
        (!car.gearbox.is_empty()).then(|| Resolved { gearbox: other.to_owned(), ..car.clone() })
    }),
    ("fuel", |inner, car| {
        let other = inner.encoding.other_fuel(car)?;
        Some(Resolved { fuel: other.to_owned(), ..car.clone() })
    }),
    ("power", |_, car| (car.power_hp > 0.0).then(|| Resolved { power_hp: -1.0, ..car.clone() })),
];

/// Price minus the price of the variant, in euros: against the usual mileage for its age, a car one
/// year older, no version text, the other gearbox, the most usual other fuel of the model, an unknown power.
///
/// One list per car, all asked at once: a run of the model costs more than a row of it.
pub fn contributions(inner: &Inner, cars: &[(&Resolved, f64)]) -> Result<Vec<Vec<PriceContribution>>, PluginError> {
    let variants: Vec<(usize, &str, Resolved)> = cars
        .iter()
        .enumerate()
        .flat_map(|(at, (car, _))| {
            VARIANTS.iter().filter_map(move |(name, change)| Some((at, *name, change(inner, car)?)))
        })
        .collect();
    let asked: Vec<&Resolved> = variants.iter().map(|(.., variant)| variant).collect();
    let prices = inner.model.prices(&inner.encoding, &inner.calibration, &asked)?;
    let mut all = vec![Vec::new(); cars.len()];
    for ((at, name, _), range) in variants.iter().zip(prices) {
        all[*at].push(PriceContribution { fact: (*name).to_owned(), euros: cars[*at].1 - range.mid });
    }
    Ok(all)
}
