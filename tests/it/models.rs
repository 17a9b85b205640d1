//! The journey through the real networks, on pictures made by us.

use std::path::{Path, PathBuf};

use keroxio_api::plugins;
use keroxio_core::Env;
use keroxio_plugin_sdk::{DecodeLimits, Photo};
use keroxio_test_support::{Setup, fixture};
use serde_json::json;

const PREPARE: &str = "mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id } }";
const LISTING: &str = "query($id: UUID!) { listing(id: $id) { state vehicle { plate }
  plate { formatted confidence needsConfirmation }
  estimate { low { amount } mid { amount } high { amount } sampleSize }
  photos { cleaning { carFound platesMasked cleaned { url } masked { url } } } steps { kind state errorCode } } }";

/// Where the models are, or nothing without ONNX Runtime.
fn models() -> Option<Env> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let dir = |name: &str, default: &str| {
        let path = std::env::var(name).map_or_else(|_| root.join(default), PathBuf::from);
        (name.to_owned(), path.to_string_lossy().into_owned())
    };
    let plates = dir("KEROXIO_PLATES_MODEL_DIR", "plugins/plates-ort/model");
    let store = dir("KEROXIO_MODELS_DIR", ".keroxio/models");
    if std::env::var_os("ORT_DYLIB_PATH").is_none() {
        eprintln!("SKIP: ORT_DYLIB_PATH names no ONNX Runtime; `make test` does");
        return None;
    }
    let images = dir("KEROXIO_IMAGES_MODEL_DIR", "plugins/images-ort/model");
    let pricing = dir("KEROXIO_PRICING_MODEL_DIR", "plugins/pricing-ort/model");
    Some(Env::from_vars([plates, store, images, pricing]))
}

#[tokio::test]
async fn our_own_pictures_become_an_ad_through_the_real_networks() {
    let Some(env) = models() else { return };
    let readers = plugins::plates(&env).unwrap();
    let setup = Setup::default().readers(readers.clone());
    let setup = setup.images(plugins::images(&env).unwrap()).prices(plugins::pricing(&env).unwrap());
    let app = setup.start().await;
    let garage = app.garage("dupont").await;
    let mut photos = Vec::new();
    for name in ["hatch-front.jpg", "no-car.jpg"] {
        photos.push(garage.upload(fixture(name)).await.text("/uploadPhoto/id"));
    }
    let car = json!({ "make": "Renault", "model": "Clio", "version": "V TCe 90 Zen", "fuel": "PETROL",
        "powerHp": 90, "firstRegistration": "2020-03", "mileageKm": 45_000 });
    let listing = garage.run(PREPARE, json!({ "i": { "photoIds": photos, "vehicle": car } })).await;
    let id = listing.text("/prepareListing/id");
    app.run_jobs().await;
    let listing = garage.run(LISTING, json!({ "id": id })).await;
    assert_eq!(listing.at("/listing/plate/formatted"), "YK-482-ZN");
    let front = listing.at("/listing/photos/0/cleaning");
    assert_eq!((&front["carFound"], &front["platesMasked"]), (&json!(true), &json!(1)));

    // The plate that was read is gone from what may be published.
    for rendition in ["cleaned", "masked"] {
        let url = front[rendition]["url"].as_str().unwrap();
        let bytes = garage.get(url).await.bytes().await.unwrap();
        let photo = Photo::decode(&bytes, DecodeLimits::default()).unwrap();
        let readings: Vec<_> =
            readers.read(&photo).await.unwrap().sightings.into_iter().flat_map(|s| s.readings).collect();
        assert!(readings.is_empty(), "{rendition}: {readings:?}");
    }
    let (low, mid, high) = (amount(&listing, "low"), amount(&listing, "mid"), amount(&listing, "high"));
    // Wide enough for any model worth shipping; what the model is worth is measured by `keroxio eval pricing`.
    assert!(low < mid && mid < high && (7_000..16_000).contains(&mid), "{low} {mid} {high}");
    app.finish().await;
}

fn amount(listing: &keroxio_test_support::Answer, end: &str) -> i64 {
    listing.at(&format!("/listing/estimate/{end}/amount")).as_i64().unwrap()
}
