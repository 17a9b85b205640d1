use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use keroxio_core::{AppBuilder, Env, Secret};
use keroxio_plugin_faces_seeta::FacesSeeta;
use keroxio_plugin_images_ort::{CarAngle, ImagesOrt};
use keroxio_plugin_plates_ort::PlatesOrt;
use keroxio_plugin_plates_ppocr::{PlatesPpocr, TextPpocr};
use keroxio_plugin_plates_remote::PlatesRemote;
use keroxio_plugin_pricing_ort::PricingOrt;
use keroxio_plugin_registry_http::RegistryHttp;
use keroxio_plugin_rewriter_openai::RewriterOpenai;
use keroxio_plugin_sdk::{
    AngleFinder, BackgroundRemover, BackgroundRemovers, FaceFinder, PlateReader, PlateReaders, PriceEstimator,
    TextReader, TextRewriter, VehicleRegistry,
};

/// The readers that `KEROXIO_PLATES_READERS` names, in the order in which they are asked:
/// `keroxio`, `keroxio:MODEL` (our detector with a reader from the model store), `ppocr`, `remote`.
pub fn plates(env: &Env) -> anyhow::Result<PlateReaders> {
    let names = env.optional("KEROXIO_PLATES_READERS").unwrap_or_else(|| "keroxio".to_owned());
    let readers = names.split(',').map(|name| plate_reader(env, name.trim())).collect::<anyhow::Result<_>>()?;
    Ok(PlateReaders::new(readers))
}

fn plate_reader(env: &Env, name: &str) -> anyhow::Result<Arc<dyn PlateReader>> {
    let (ours, store) = (plates_folder(env), store(env));
    let (detector, own) = (ours.join("plate-detector.json"), ours.join("plate-reader.json"));
    match name.split_once(':') {
        None if name == "keroxio" => {
            Ok(Arc::new(PlatesOrt::load(&detector, &own).with_context(|| missing("plates", &ours))?))
        }
        Some(("keroxio", model)) => {
            let card = store.join(format!("{model}.json"));
            Ok(Arc::new(PlatesOrt::load(&detector, &card).with_context(|| missing(model, &store))?))
        }
        None if name == "ppocr" => {
            let [detection, recognition] = ppocr_cards(&store);
            Ok(Arc::new(PlatesPpocr::load(&detection, &recognition).with_context(|| missing("PP-OCR", &store))?))
        }
        None if name == "remote" => {
            let url = env.optional("KEROXIO_REMOTE_PLATES_URL").context("KEROXIO_REMOTE_PLATES_URL is not set")?;
            let token = env.optional("KEROXIO_REMOTE_PLATES_TOKEN");
            let accept_from = env.parsed("KEROXIO_REMOTE_PLATES_ACCEPT_FROM", 1.01_f32);
            Ok(Arc::new(PlatesRemote::new(&url, token, accept_from)?))
        }
        _ => anyhow::bail!("KEROXIO_PLATES_READERS: {name:?} is none of keroxio, keroxio:MODEL, ppocr, remote"),
    }
}

/// The cut-out models that `KEROXIO_IMAGES_MODELS` names, in the order in which they are tried:
/// `keroxio`, or the name of a model in the store.
pub fn images(env: &Env) -> anyhow::Result<BackgroundRemovers> {
    let names = env.optional("KEROXIO_IMAGES_MODELS").unwrap_or_else(|| "keroxio".to_owned());
    let removers = names.split(',').map(|name| background_remover(env, name.trim())).collect::<anyhow::Result<_>>()?;
    Ok(BackgroundRemovers::new(removers))
}

fn background_remover(env: &Env, name: &str) -> anyhow::Result<Arc<dyn BackgroundRemover>> {
    let (dir, card) = match name {
        "keroxio" => (images_folder(env), "car-matte"),
        model => (store(env), model),
    };
    let remover = ImagesOrt::load(&dir.join(format!("{card}.json"))).with_context(|| missing(name, &dir))?;
    Ok(Arc::new(remover))
}

/// Tells from where cars were photographed.
pub fn angle(env: &Env) -> anyhow::Result<Arc<dyn AngleFinder>> {
    let dir = images_folder(env);
    Ok(Arc::new(CarAngle::load(&dir.join("car-angle.json")).with_context(|| missing("angle", &dir))?))
}

/// Finds the faces to be blurred; none with `KEROXIO_FACES=off`.
pub fn faces(env: &Env) -> anyhow::Result<Option<Arc<dyn FaceFinder>>> {
    match env.optional("KEROXIO_FACES").as_deref() {
        Some("off") => Ok(None),
        None | Some("on") => {
            let dir = store(env);
            let finder =
                FacesSeeta::load(&dir.join("seeta-face-frontal.json")).with_context(|| missing("face", &dir))?;
            Ok(Some(Arc::new(finder)))
        }
        Some(other) => anyhow::bail!("KEROXIO_FACES: {other:?} is neither on nor off"),
    }
}

fn ppocr_cards(store: &Path) -> [PathBuf; 2] {
    ["detection", "recognition"].map(|net| store.join(format!("ppocr-v4-{net}.json")))
}

/// Reads registration certificates; none with `KEROXIO_CERTIFICATES=off`.
pub fn texts(env: &Env) -> anyhow::Result<Option<Arc<dyn TextReader>>> {
    if !keroxio_vehicle::CertificateSwitch::from_env(env).0 {
        return Ok(None);
    }
    let store = store(env);
    let [detection, recognition] = ppocr_cards(&store);
    Ok(Some(Arc::new(TextPpocr::load(&detection, &recognition).with_context(|| missing("PP-OCR", &store))?)))
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
    match angle(env) {
        Ok(plugin) => drop(app.provide(plugin)),
        Err(e) => env.problem(format!("{e:#}")),
    }
    match faces(env) {
        Ok(Some(plugin)) => drop(app.provide(plugin)),
        Ok(None) => {}
        Err(e) => env.problem(format!("{e:#}")),
    }
    match texts(env) {
        Ok(Some(plugin)) => drop(app.provide(plugin)),
        Ok(None) => {}
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

/// The vehicle register that `KEROXIO_REGISTRY` describes; none without it.
pub fn registry(env: &Env) -> anyhow::Result<Option<Arc<dyn VehicleRegistry>>> {
    let Some(file) = env.optional("KEROXIO_REGISTRY") else { return Ok(None) };
    Ok(Some(Arc::new(RegistryHttp::load(file.as_ref())?)))
}

/// The API takes credentials for the register, workers ask it.
pub fn provide_registry(env: &Env, app: &mut AppBuilder) {
    match registry(env) {
        Ok(Some(plugin)) => drop(app.provide(plugin)),
        Ok(None) => {}
        Err(e) => env.problem(format!("{e:#}")),
    }
}

/// The language model that the settings name; none without them.
pub fn rewriter(env: &Env) -> anyhow::Result<Option<Arc<dyn TextRewriter>>> {
    let Some(url) = env.optional("KEROXIO_REWRITER_URL") else { return Ok(None) };
    let model = env.required("KEROXIO_REWRITER_MODEL", "name of the model that KEROXIO_REWRITER_URL serves");
    let key = env.optional("KEROXIO_REWRITER_KEY").map(Secret::new);
    Ok(Some(Arc::new(RewriterOpenai::new(&url, &model, key.as_ref().map(Secret::expose))?)))
}

/// The API says whether there is one, workers ask it.
pub fn provide_rewriter(env: &Env, app: &mut AppBuilder) {
    match rewriter(env) {
        Ok(Some(plugin)) => drop(app.provide(plugin)),
        Ok(None) => {}
        Err(e) => env.problem(format!("{e:#}")),
    }
}

/// Where our plate networks are.
pub fn plates_folder(env: &Env) -> PathBuf {
    folder(env, "KEROXIO_PLATES_MODEL_DIR", "plugins/plates-ort/model")
}

/// Where our cut-out network is.
pub fn images_folder(env: &Env) -> PathBuf {
    folder(env, "KEROXIO_IMAGES_MODEL_DIR", "plugins/images-ort/model")
}

/// Where an operator's models are.
pub fn store(env: &Env) -> PathBuf {
    folder(env, "KEROXIO_MODELS_DIR", ".keroxio/models")
}

fn folder(env: &Env, name: &str, default: &str) -> PathBuf {
    env.optional(name).unwrap_or_else(|| default.to_owned()).into()
}

fn missing(what: &str, dir: &std::path::Path) -> String {
    format!("the {what} model in {} cannot be used (`make setup` installs what is missing)", dir.display())
}
