use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use keroxio_core::{AppBuilder, Env};
use keroxio_plugin_images_ort::ImagesOrt;
use keroxio_plugin_plates_ort::PlatesOrt;
use keroxio_plugin_plates_ppocr::PlatesPpocr;
use keroxio_plugin_pricing_ort::PricingOrt;
use keroxio_plugin_sdk::{BackgroundRemover, PlateReader, PlateReaders, PriceEstimator};

/// The readers that `KEROXIO_PLATES_READERS` names, in the order in which they are asked:
/// `keroxio`, `keroxio:MODEL` (our detector with a reader from the model store), `ppocr`.
pub fn plates(env: &Env) -> anyhow::Result<PlateReaders> {
    let names = env.optional("KEROXIO_PLATES_READERS").unwrap_or_else(|| "ppocr".to_owned());
    let readers = names.split(',').map(|name| plate_reader(env, name.trim())).collect::<anyhow::Result<_>>()?;
    Ok(PlateReaders::new(readers))
}

fn plate_reader(env: &Env, name: &str) -> anyhow::Result<Arc<dyn PlateReader>> {
    let ours = folder(env, "KEROXIO_PLATES_MODEL_DIR", "plugins/plates-ort/model");
    let (detector, own) = (ours.join("plate-detector.json"), ours.join("plate-reader.json"));
    match name.split_once(':') {
        None if name == "keroxio" => {
            Ok(Arc::new(PlatesOrt::load(&detector, &own).with_context(|| missing("plates", &ours))?))
        }
        Some(("keroxio", model)) => {
            let store = folder(env, "KEROXIO_MODELS_DIR", ".keroxio/models");
            let card = store.join(format!("{model}.json"));
            Ok(Arc::new(PlatesOrt::load(&detector, &card).with_context(|| missing(model, &store))?))
        }
        None if name == "ppocr" => {
            let dir = folder(env, "KEROXIO_PPOCR_MODEL_DIR", ".keroxio/models/ppocr-v4");
            Ok(Arc::new(PlatesPpocr::load(&dir).with_context(|| missing("PP-OCR", &dir))?))
        }
        _ => anyhow::bail!("KEROXIO_PLATES_READERS: {name:?} is none of keroxio, keroxio:MODEL, ppocr"),
    }
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
