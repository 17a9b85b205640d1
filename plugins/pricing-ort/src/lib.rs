#![doc = include_str!("../README.md")]

mod encoding;
mod explain;
mod features;
mod model;
mod names;
mod power;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::Datelike as _;
use keroxio_plugin_sdk::{CarFacts, CarName, Manifest, PluginError, PriceAnswer, PriceEstimator, Refusal};

use crate::encoding::{Encoding, Resolved};
use crate::model::{Calibration, Card, Model};

/// The ads start in 1995 and end at 450,000 km: far outside them the model would only repeat its edge.
const FIRST_YEAR: i32 = 1990;
const MAX_KM: f64 = 600_000.0;
/// A car older than this, in years, has run more than this, in km: less is a slip, thousands perhaps.
const NEW_YEARS: f64 = 1.0;
const LEAST_KM: f64 = 500.0;

/// Prices by our own boosted trees on ONNX Runtime.
pub struct PricingOrt {
    manifest: Manifest,
    inner: Arc<Inner>,
}

struct Inner {
    encoding: Encoding,
    model: Model,
    calibration: Calibration,
    card: Card,
}

impl PricingOrt {
    /// Loads the model package of a folder; every file must have the checksum in `card.json`.
    ///
    /// # Errors
    /// [`PluginError::ModelUnavailable`] naming the file that is missing, altered or refused.
    pub fn load(model_dir: &Path) -> Result<Self, PluginError> {
        let card = Card::read(model_dir)?;
        let (encoding, calibration) =
            (card.json(model_dir, "encoding.json")?, card.json(model_dir, "calibration.json")?);
        let (model, files) = Model::load(&card, model_dir)?;
        let manifest = Manifest { id: "pricing-ort".to_owned(), version: card.version.clone(), models: files };
        Ok(Self { manifest, inner: Arc::new(Inner { encoding, model, calibration, card }) })
    }
}

#[async_trait]
impl PriceEstimator for PricingOrt {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn estimate(&self, cars: &[CarFacts], explain: bool) -> Result<Vec<PriceAnswer>, PluginError> {
        let (inner, cars) = (Arc::clone(&self.inner), cars.to_vec());
        let work = move || inner.estimate(&cars, explain);
        keroxio_onnx::interruptible(work).await
    }
}

impl Inner {
    fn estimate(&self, cars: &[CarFacts], explain: bool) -> Result<Vec<PriceAnswer>, PluginError> {
        let resolved: Vec<Result<Resolved, Refusal>> = cars.iter().map(|car| self.resolve(car)).collect();
        let known: Vec<&Resolved> = resolved.iter().flatten().collect();
        let prices = self.model.prices(&self.encoding, &self.calibration, &known)?;
        let mut contributions = if explain {
            let mids: Vec<(&Resolved, f64)> = known.iter().copied().zip(prices.iter().map(|range| range.mid)).collect();
            explain::contributions(self, &mids)?.into_iter()
        } else {
            Vec::new().into_iter()
        };
        let mut prices = prices.into_iter();
        let mut answers = Vec::with_capacity(cars.len());
        for car in &resolved {
            answers.push(match car {
                Err(refusal) => PriceAnswer::Refused(refusal.clone()),
                Ok(car) => {
                    let range = prices.next().ok_or_else(|| PluginError::Failed("a price is missing".to_owned()))?;
                    PriceAnswer::Estimate {
                        name: CarName { make: car.brand.clone(), model: car.model.clone() },
                        remarks: car.remarks.clone(),
                        confidence: self.calibration.confidence(&range),
                        sample_size: self.encoding.ads_of(car),
                        data_until: self.card.data_until,
                        contributions: contributions.next().unwrap_or_default(),
                        range,
                    }
                }
            });
        }
        Ok(answers)
    }

    fn resolve(&self, car: &CarFacts) -> Result<Resolved, Refusal> {
        let refuse = |field: &str| Err(Refusal::OutOfRange { field: field.to_owned() });
        if !(FIRST_YEAR..=car.valued_on.year()).contains(&car.first_registration_year) {
            return refuse("firstRegistration");
        }
        let mut car = self.encoding.resolve(car)?;
        if car.mileage_km > MAX_KM || car.age > NEW_YEARS && car.mileage_km < LEAST_KM {
            return refuse("mileageKm");
        }
        power::settle(&self.encoding, &mut car);
        Ok(car)
    }
}
