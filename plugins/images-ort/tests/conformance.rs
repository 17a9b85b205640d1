//! The promises of the port, kept by the shipped network.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage};
use keroxio_plugin_images_ort::ImagesOrt;
use keroxio_plugin_sdk::{BackgroundRemover, ModelFile, Photo, PluginError, conformance};

const CARD: &str = "car-matte.json";

fn model_dir() -> PathBuf {
    std::env::var_os("KEROXIO_IMAGES_MODEL_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("model"), PathBuf::from)
}

fn loaded() -> Option<ImagesOrt> {
    if std::env::var_os("ORT_DYLIB_PATH").is_none() {
        eprintln!("SKIP: ORT_DYLIB_PATH is not set");
        return None;
    }
    if !model_dir().join(CARD).exists() {
        eprintln!("SKIP: no model in {}", model_dir().display());
        return None;
    }
    Some(ImagesOrt::load(&model_dir().join(CARD)).expect("the model loads"))
}

#[tokio::test]
async fn keeps_the_promises_of_the_port() {
    if let Some(remover) = loaded() {
        conformance::background_remover(&remover).await;
    }
}

/// A salient-object network of another make, dropped in with a card, keeps the same promises.
#[tokio::test]
async fn a_found_network_keeps_them_too() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vision/weights/u2netp/u2netp_fp32.onnx");
    let file = std::env::var_os("U2NETP").map_or(shared, PathBuf::from);
    if std::env::var_os("ORT_DYLIB_PATH").is_none() || !file.exists() {
        eprintln!("SKIP: {} is missing, set U2NETP", file.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (model, bytes) = ModelFile::load(&file, "Apache-2.0", None).unwrap();
    std::fs::write(folder.path().join("u2netp.onnx"), bytes).unwrap();
    let card = serde_json::json!({ "model": "u2netp", "version": "1", "contract": "saliency-u2net",
        "file": "u2netp.onnx", "sha256": model.sha256, "licence": model.licence });
    let path = folder.path().join("u2netp.json");
    std::fs::write(&path, card.to_string()).unwrap();
    conformance::background_remover(&ImagesOrt::load(&path).unwrap()).await;
}

#[tokio::test]
async fn sees_no_car_where_there_is_none() {
    let Some(remover) = loaded() else { return };
    let ramp = RgbImage::from_fn(640, 480, |_, y| Rgb([(y / 2) as u8, (y / 3) as u8, 120]));
    for (name, picture) in [("grey", RgbImage::from_pixel(640, 480, Rgb([120; 3]))), ("ramp", ramp)] {
        let matte = remover.matte(&Photo::from_rgb(picture)).await.expect("a matte");
        assert!(!matte.found, "{name}: coverage {}, confidence {}", matte.coverage, matte.confidence);
    }
}

#[tokio::test]
async fn a_second_load_shares_the_runtime() {
    if loaded().is_some() {
        assert!(loaded().is_some());
    }
}

#[test]
fn an_altered_model_is_refused() {
    if loaded().is_none() {
        return;
    }
    let folder = std::env::temp_dir().join(format!("keroxio-images-ort-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for entry in std::fs::read_dir(model_dir()).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        if path.extension().is_some_and(|e| e == "onnx") {
            *bytes.last_mut().unwrap() ^= 1;
        }
        std::fs::write(folder.join(path.file_name().unwrap()), bytes).unwrap();
    }
    let refused = ImagesOrt::load(&folder.join(CARD));
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(matches!(refused, Err(PluginError::ModelUnavailable(reason)) if reason.contains("checksum")));
}
