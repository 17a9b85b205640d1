//! The model store: what an operator may put in, and what is refused.

use std::path::{Path, PathBuf};

use keroxio_api::cli::AddModel;
use keroxio_api::{models, plugins};
use keroxio_core::Env;
use keroxio_plugin_sdk::{DecodeLimits, Photo, PlateReaders};
use keroxio_test_support::fixture;

fn ours(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/plates-ort/model").join(name)
}

fn wanted() -> AddModel {
    AddModel {
        file: ours("plate-reader.onnx"),
        model: "another".to_owned(),
        version: "7".to_owned(),
        contract: "plate-slots".to_owned(),
        licence: "MIT".to_owned(),
        licence_agreed: false,
        sha256: None,
        upstream: Some("https://example.org/another".to_owned()),
    }
}

fn has_runtime() -> bool {
    let has = std::env::var_os("ORT_DYLIB_PATH").is_some();
    if !has {
        eprintln!("SKIP: ORT_DYLIB_PATH names no ONNX Runtime; `make test` does");
    }
    has
}

#[tokio::test]
async fn an_added_model_is_chosen_by_its_name_and_stored_with_what_it_read() {
    if !has_runtime() {
        return;
    }
    let store = tempfile::tempdir().unwrap();
    let card = models::add(store.path(), &wanted()).unwrap();
    assert_eq!(card.sha256.len(), 64);
    let folder = ours("");
    let settings = [
        ("KEROXIO_PLATES_READERS", "keroxio:another"),
        ("KEROXIO_PLATES_MODEL_DIR", folder.to_str().unwrap()),
        ("KEROXIO_MODELS_DIR", store.path().to_str().unwrap()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let readers: PlateReaders = plugins::plates(&Env::from_vars(settings)).unwrap();
    let photo = Photo::decode(&fixture("hatch-front.jpg"), DecodeLimits::default()).unwrap();
    let answer = readers.read(&photo).await.unwrap();
    assert!(answer.manifest.version.ends_with("+another@7"), "{:?}", answer.manifest);
    assert_eq!(answer.manifest.models[1].licence, "MIT");
    assert_eq!(answer.sightings[0].readings[0].text, "YK482ZN");
    assert!(!answer.accepted && !answer.measured, "a model that nobody measured always asks");
}

#[test]
fn what_does_not_fit_is_refused_and_leaves_nothing_behind() {
    if !has_runtime() {
        return;
    }
    let store = tempfile::tempdir().unwrap();
    let refusals = [
        (AddModel { licence: "CC-BY-NC-4.0".to_owned(), ..wanted() }, "--licence-agreed"),
        (AddModel { sha256: Some("0".repeat(64)), ..wanted() }, "checksum"),
        (AddModel { contract: "plate-corners".to_owned(), ..wanted() }, "of a plate-corners"),
        (AddModel { contract: "horoscope".to_owned(), ..wanted() }, "known are plate-corners"),
        (AddModel { file: ours("plate-reader.json"), ..wanted() }, "ONNX Runtime"),
        (AddModel { file: ours("no-such.onnx"), ..wanted() }, "no-such.onnx"),
        (AddModel { model: "../../etc/passwd".to_owned(), ..wanted() }, "plain names"),
    ];
    for (wanted, reason) in refusals {
        let error = format!("{:#}", models::add(store.path(), &wanted).unwrap_err());
        assert!(error.contains(reason), "{error}");
    }
    let left: Vec<_> = std::fs::read_dir(store.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    models::add(store.path(), &AddModel { licence: "CC-BY-NC-4.0".to_owned(), licence_agreed: true, ..wanted() })
        .unwrap();
    let again = models::add(store.path(), &wanted()).unwrap_err();
    assert!(again.to_string().contains("in the store already"), "{again}");
}
