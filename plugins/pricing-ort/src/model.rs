use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use chrono::NaiveDate;
use keroxio_plugin_sdk::{ModelFile, PluginError, PriceRange};
use ort::session::Session;
use ort::value::TensorRef;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::encoding::{Encoding, Resolved};
use crate::features;

const LICENCE: &str = "LicenseRef-Keroxio-Model";

/// The part of `card.json` that production needs.
#[derive(Deserialize)]
pub struct Card {
    pub version: String,
    pub data_until: NaiveDate,
    sha256: HashMap<String, String>,
}

impl Card {
    pub fn read(dir: &Path) -> Result<Self, PluginError> {
        let (_, bytes) = ModelFile::load(&dir.join("card.json"), LICENCE, None)?;
        serde_json::from_slice(&bytes).map_err(|e| PluginError::ModelUnavailable(format!("card.json: {e}")))
    }

    fn file(&self, dir: &Path, name: &str) -> Result<(ModelFile, Vec<u8>), PluginError> {
        let expected = self.sha256.get(name);
        let expected =
            expected.ok_or_else(|| PluginError::ModelUnavailable(format!("card.json has no sha256 of {name}")))?;
        ModelFile::load(&dir.join(name), LICENCE, Some(expected))
    }

    pub fn json<T: DeserializeOwned>(&self, dir: &Path, name: &str) -> Result<T, PluginError> {
        let (_, bytes) = self.file(dir, name)?;
        serde_json::from_slice(&bytes).map_err(|e| PluginError::ModelUnavailable(format!("{name}: {e}")))
    }
}

/// How wide the interval has to be, per group of age and price, and what its width is worth.
#[derive(Deserialize)]
pub struct Calibration {
    age_bands: Vec<f64>,
    price_bands: Vec<f64>,
    margins: HashMap<String, f64>,
    /// Fewer ads than this of a make and model: its interval is at least the one measured on such models.
    rare: u32,
    width_edges: Vec<f64>,
    within_10_by_width: Vec<f64>,
}

fn band(value: f64, edges: &[f64]) -> usize {
    edges.iter().filter(|edge| value >= **edge).count()
}

impl Calibration {
    fn margin(&self, car: &Resolved, price: f64, ads: u32) -> f64 {
        let cell = format!("{}:{}", band(car.age, &self.age_bands), band(price, &self.price_bands));
        let own = if car.fuel == "electric" { format!("{cell}:electric") } else { cell };
        let measured = |group: &str| self.margins.get(group).copied();
        let margin = measured(&own).or_else(|| measured("")).unwrap_or(0.0);
        let floor = match ads {
            0 => measured("unknown"),
            n if n < self.rare => measured("rare"),
            _ => None,
        };
        margin.max(floor.unwrap_or(margin))
    }

    /// Measured share of held-out ads within 10 % of the middle, for an interval of this width.
    pub fn confidence(&self, range: &PriceRange) -> f64 {
        let width = (range.high - range.low) / range.mid;
        self.within_10_by_width.get(band(width, &self.width_edges)).copied().unwrap_or(0.0)
    }
}

/// Three tree ensembles: the logarithm of the price in euros, and how far below and above it the ends lie.
pub struct Model {
    mid: Mutex<Session>,
    low: Mutex<Session>,
    high: Mutex<Session>,
}

impl Model {
    pub fn load(card: &Card, dir: &Path) -> Result<(Self, Vec<ModelFile>), PluginError> {
        let mut files = Vec::new();
        let mut open = |name: &str| {
            let (file, bytes) = card.file(dir, name)?;
            files.push(file);
            keroxio_onnx::session(&bytes).map(Mutex::new)
        };
        let model = Self { mid: open("mid.onnx")?, low: open("low.onnx")?, high: open("high.onnx")? };
        Ok((model, files))
    }

    pub fn prices(
        &self,
        encoding: &Encoding,
        calibration: &Calibration,
        cars: &[&Resolved],
    ) -> Result<Vec<PriceRange>, PluginError> {
        let rows: Vec<Vec<f32>> = cars.iter().map(|car| features::vector(encoding, car)).collect();
        let logs = self.logs(&rows)?;
        let ranges = cars.iter().zip(logs).map(|(car, [low, mid, high])| {
            let margin = calibration.margin(car, mid.exp(), encoding.ads_of(car));
            let low = (mid + low.min(0.0) - margin).min(mid);
            let high = (mid + high.max(0.0) + margin).max(mid);
            PriceRange { low: low.exp(), mid: mid.exp(), high: high.exp() }
        });
        Ok(ranges.collect())
    }

    /// Low, mid and high of each row, as the models give them.
    pub fn logs(&self, rows: &[Vec<f32>]) -> Result<Vec<[f64; 3]>, PluginError> {
        let Some(width) = rows.first().map(Vec::len) else { return Ok(Vec::new()) };
        let flat: Vec<f32> = rows.concat();
        let run = |session: &Mutex<Session>| run(session, &flat, rows.len(), width);
        let (low, mid, high) = (run(&self.low)?, run(&self.mid)?, run(&self.high)?);
        Ok(low.into_iter().zip(mid).zip(high).map(|((low, mid), high)| [low, mid, high]).collect())
    }
}

fn run(session: &Mutex<Session>, flat: &[f32], rows: usize, width: usize) -> Result<Vec<f64>, PluginError> {
    let failed = |e: &dyn std::fmt::Display| PluginError::Failed(e.to_string());
    let tensor = TensorRef::from_array_view(([rows, width], flat)).map_err(|e| failed(&e))?;
    let mut session = session.lock().unwrap_or_else(PoisonError::into_inner);
    keroxio_onnx::run(&mut session, ort::inputs!["input" => tensor], |answer| {
        let output = answer.values().next().ok_or_else(|| failed(&"the model has no output"))?;
        let (_, values) = output.try_extract_tensor::<f32>().map_err(|e| failed(&e))?;
        if values.len() != rows {
            return Err(failed(&"the model answered another number of rows"));
        }
        Ok(values.iter().map(|v| f64::from(*v)).collect())
    })
}
