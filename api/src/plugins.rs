use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use keroxio_core::{AppBuilder, Env};
use keroxio_plugin_images_ort::ImagesOrt;
use keroxio_plugin_plates_ort::PlatesOrt;
use keroxio_plugin_pricing_ort::PricingOrt;
use keroxio_plugin_sdk::{BackgroundRemover, PlateReader, PriceEstimator};

pub fn plates(env: &Env) -> anyhow::Result<Arc<dyn PlateReader>> {
    let dir = folder(env, "KEROXIO_PLATES_MODEL_DIR", ".keroxio/models/ppocr-v4");
    Ok(Arc::new(PlatesOrt::load(&dir).with_context(|| missing("plates", &dir))?))
}

pub fn images(env: &Env) -> anyhow::Result<Arc<dyn BackgroundRemover>> {
    let dir = folder(env, "KEROXIO_IMAGES_MODEL_DIR", "plugins/images-ort/model");
    Ok(Arc::new(ImagesOrt::load(&dir).with_context(|| missing("images", &dir))?))
}

pub fn pricing(env: &Env) -> anyhow::Result<Arc<dyn PriceEstimator>> {
    let dir = folder(env, "KEROXIO_PRICING_MODEL_DIR", "plugins/pricing-ort/model");
    Ok(Arc::new(PricingOrt::load(&dir).with_context(|| missing("pricing", &dir))?))
}

/// Loads every plugin a worker needs; all that fail are noted together.
pub fn provide(env: &Env, app: &mut AppBuilder) {
    match plates(env) {
        Ok(plugin) => drop(app.provide(plugin)),
        Err(e) => env.problem(format!("{e:#}")),
    }
    match images(env) {
        Ok(plugin) => drop(app.provide(plugin)),
        Err(e) => env.problem(format!("{e:#}")),
    }
    provide_pricing(env, app);
}

/// The price model is small and answers at once, so the API has it too.
pub fn provide_pricing(env: &Env, app: &mut AppBuilder) {
    match pricing(env) {
        Ok(plugin) => drop(app.provide(plugin)),
        Err(e) => env.problem(format!("{e:#}")),
    }
}

fn folder(env: &Env, name: &str, default: &str) -> PathBuf {
    env.optional(name).unwrap_or_else(|| default.to_owned()).into()
}

fn missing(what: &str, dir: &std::path::Path) -> String {
    format!("the {what} model in {} cannot be used (`make setup` installs what is missing)", dir.display())
}
