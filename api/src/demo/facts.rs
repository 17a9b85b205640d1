use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use crate::cli::DemoOptions;
use crate::config::find_up;

/// What the demo runs on.
pub struct Car {
    pub photos: Vec<PathBuf>,
    /// A `VehicleInput`.
    pub facts: Value,
    pub out: PathBuf,
    pub json: bool,
}

/// Photos and facts given, or those of the first bundled car.
pub fn complete(options: DemoOptions) -> anyhow::Result<Car> {
    let mut facts = Map::new();
    let mut photos = options.photos;
    if photos.is_empty() {
        let index = find_up(&std::env::current_dir()?, "tests/fixtures/index.json")
            .context("give a photo, or run inside a checkout that has the bundled pictures")?;
        (photos, facts) = bundled(&index)?;
    }
    let given = [
        ("make", options.make.map(Value::from)),
        ("model", options.model.map(Value::from)),
        ("version", options.version.map(Value::from)),
        ("firstRegistration", options.first_registration.map(Value::from)),
        ("mileageKm", options.mileage_km.map(Value::from)),
        ("fuel", options.fuel.map(|f| json!(f.to_uppercase().replace('-', "_")))),
        ("gearbox", options.gearbox.map(|g| json!(g.to_uppercase()))),
        ("powerHp", options.power_hp.map(Value::from)),
    ];
    facts.extend(given.into_iter().filter_map(|(name, value)| value.map(|v| (name.to_owned(), v))));
    Ok(Car { photos, facts: Value::Object(facts), out: options.out, json: options.json })
}

/// Photos of the first car of the bundled set and the facts beside them.
fn bundled(index: &Path) -> anyhow::Result<(Vec<PathBuf>, Map<String, Value>)> {
    let folder = index.parent().context("no folder")?;
    let index: Value = serde_json::from_slice(&std::fs::read(index)?)?;
    let photos: Vec<PathBuf> = index
        .pointer("/cars/0/photos")
        .and_then(Value::as_array)
        .context("index.json names no photos")?
        .iter()
        .filter_map(Value::as_str)
        .map(|name| folder.join(name))
        .collect();
    let first = photos.first().context("index.json names no photos")?;
    let beside: Value = serde_json::from_slice(&std::fs::read(first.with_extension("json"))?)?;
    let names = [
        ("make", "make"),
        ("model", "model"),
        ("version", "version"),
        ("first_registration", "firstRegistration"),
        ("mileage_km", "mileageKm"),
        ("fuel", "fuel"),
        ("gearbox", "gearbox"),
        ("power_hp", "powerHp"),
        ("fiscal_hp", "fiscalHp"),
        ("doors", "doors"),
        ("seats", "seats"),
        ("colour", "colour"),
    ];
    let facts = names
        .into_iter()
        .filter_map(|(from, to)| beside.get(from).filter(|v| !v.is_null()).map(|v| (to.to_owned(), v.clone())))
        .collect();
    Ok((photos, facts))
}
