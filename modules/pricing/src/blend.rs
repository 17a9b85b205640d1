//! An estimate moved by what near cars were offered for lately. Pure arithmetic.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ads::MarketAd;

/// Differences that make a car one step less alike: years of age, kilometres, logarithm of the power; another fuel
/// is one step too.
const YEARS: f64 = 1.5;
const KILOMETRES: f64 = 30_000.0;
const LN_POWER: f64 = 0.15;
/// Steps beyond which a car is not comparable, and how many are compared with at most.
const FARTHEST: f64 = 4.0;
const MOST: usize = 20;
/// The weight of an ad is halved every so many days.
const HALF_LIFE_DAYS: f64 = 182.5;
/// How much the model itself weighs, in ads of the very same car.
const KAPPA: f64 = 0.5;
/// One ad says at most this, as a logarithm: an odd price is no market.
const CLIP: f64 = 0.4;

/// The car in question on the day in question.
pub struct Subject<'a> {
    /// Years.
    pub age: f64,
    pub mileage_km: f64,
    pub fuel: Option<&'a str>,
    pub power_hp: Option<f64>,
    pub on: NaiveDate,
}

/// Another car's price and what it says about this one's. Kept with the estimate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparable {
    pub ad: Uuid,
    /// `ad` or `sale`.
    pub kind: String,
    pub source: String,
    pub version: Option<String>,
    pub first_registration_year: i32,
    pub first_registration_month: Option<u32>,
    pub mileage_km: i32,
    pub price_eur: i32,
    pub seen_on: NaiveDate,
    /// Days it was on offer, where the source tells.
    pub days_on_offer: Option<i64>,
    /// What the same offer would be for the car in question, in euros.
    pub adjusted_eur: i32,
    /// Share in the correction, 0 to 1 over all comparables.
    pub weight: f64,
}

/// What the market adds to the model, as a logarithm, and the ads that say so, nearest first.
#[derive(Debug, Default, PartialEq)]
pub struct Blend {
    pub shift: f64,
    pub comparables: Vec<Comparable>,
}

/// Moves `mid`, the model's price in euros, by the level of the market and the residuals of the nearest ads:
/// level + Σ w (r − level) / (Σ w + κ), with w falling with distance and age of the ad. Constants as measured on ads
/// of 2022 to 2026; `keroxio eval pricing` measures the effect again.
pub fn blend(subject: &Subject<'_>, mid: f64, level: f64, ads: &[MarketAd]) -> Blend {
    let mut near: Vec<(f64, &MarketAd)> =
        ads.iter().map(|ad| (distance(subject, ad), ad)).filter(|(distance, _)| *distance <= FARTHEST).collect();
    near.sort_by(|(a, one), (b, other)| {
        a.total_cmp(b).then_with(|| other.seen_on.cmp(&one.seen_on)).then_with(|| one.id.cmp(&other.id))
    });
    near.truncate(MOST);
    let weights: Vec<f64> = near.iter().map(|(distance, ad)| weight(subject, *distance, ad)).collect();
    let total: f64 = weights.iter().sum();
    let told: f64 = near.iter().zip(&weights).map(|((_, ad), w)| w * (ad.residual.clamp(-CLIP, CLIP) - level)).sum();
    let share = |w: f64| if total > 0.0 { w / total } else { 0.0 };
    Blend {
        shift: level + told / (total + KAPPA),
        comparables: near.iter().zip(&weights).map(|((_, ad), w)| comparable(ad, mid, share(*w))).collect(),
    }
}

fn distance(subject: &Subject<'_>, ad: &MarketAd) -> f64 {
    let power = match (subject.power_hp, ad.power_hp) {
        (Some(own), Some(other)) if own > 0.0 && other > 0 => (own / f64::from(other)).ln().abs() / LN_POWER,
        _ => 0.0,
    };
    let fuel = match (subject.fuel, ad.fuel.as_deref()) {
        (Some(own), Some(other)) if own != other => 1.0,
        _ => 0.0,
    };
    (subject.age - ad.age).abs() / YEARS
        + (subject.mileage_km - f64::from(ad.mileage_km)).abs() / KILOMETRES
        + power
        + fuel
}

fn weight(subject: &Subject<'_>, distance: f64, ad: &MarketAd) -> f64 {
    let days = (subject.on - ad.seen_on).num_days().max(0) as f64;
    (-distance).exp() * 0.5_f64.powf(days / HALF_LIFE_DAYS)
}

fn comparable(ad: &MarketAd, mid: f64, weight: f64) -> Comparable {
    let fact = |name: &str| ad.facts.get(name);
    let days = ad.first_seen_on.zip(ad.gone_on).map(|(first, gone)| (gone - first).num_days());
    Comparable {
        ad: ad.id,
        kind: ad.kind.clone(),
        source: ad.source.clone(),
        version: fact("version").and_then(|v| v.as_str()).map(str::to_owned),
        first_registration_year: fact("first_registration_year").and_then(|v| v.as_i64()).unwrap_or(0) as i32,
        first_registration_month: fact("first_registration_month").and_then(|v| v.as_u64()).map(|m| m as u32),
        mileage_km: ad.mileage_km,
        price_eur: ad.price_eur,
        seen_on: ad.seen_on,
        days_on_offer: days,
        adjusted_eur: (mid * ad.residual.exp()).round().clamp(1.0, 1e8) as i32,
        weight,
    }
}

#[cfg(test)]
#[path = "blend_tests.rs"]
mod tests;
