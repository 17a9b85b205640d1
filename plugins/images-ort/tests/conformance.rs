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

/// Every kind of network that an operator may add, by one of each kind that says how bright its photo is.
#[tokio::test]
async fn every_kind_of_network_keeps_them() {
    if std::env::var_os("ORT_DYLIB_PATH").is_none() {
        eprintln!("SKIP: ORT_DYLIB_PATH is not set");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disc = RgbImage::from_fn(300, 200, |x, y| {
        let (dx, dy) = (f64::from(x) - 150.0, f64::from(y) - 100.0);
        Rgb([if dx.hypot(dy) < 60.0 { 250 } else { 10 }; 3])
    });
    for contract in ["car-matte", "saliency-u2net", "saliency-isnet", "saliency-birefnet"] {
        let path = bright(folder.path(), contract, 1);
        let remover = ImagesOrt::load(&path).unwrap();
        conformance::background_remover(&remover).await;
        let matte = remover.matte(&Photo::from_rgb(disc.clone())).await.unwrap();
        let at = |x, y| matte.alpha.get_pixel(x, y).0[0];
        assert!(at(150, 100) > 220 && at(150, 60) > 220 && at(10, 10) < 40 && at(150, 20) < 40, "{contract}");
        let refused = ImagesOrt::load(&bright(folder.path(), contract, 2));
        assert!(matches!(refused, Err(PluginError::ModelUnavailable(_))), "{contract}: two planes are no matte");
    }
}

/// A network of one layer that answers the mean of the three colours, so many times, and its card.
fn bright(folder: &Path, contract: &str, planes: u64) -> PathBuf {
    let file = folder.join(format!("{contract}-{planes}.onnx"));
    std::fs::write(&file, onnx::mean_of_colours(64, planes)).unwrap();
    let (model, _) = ModelFile::load(&file, "CC0-1.0", None).unwrap();
    let card = serde_json::json!({ "model": contract, "version": "1", "contract": contract,
        "file": file.file_name().unwrap().to_str(), "sha256": model.sha256, "licence": model.licence });
    let path = file.with_extension("json");
    std::fs::write(&path, card.to_string()).unwrap();
    path
}

/// As much of the ONNX format (protocol buffers) as a network of one convolution needs.
mod onnx {
    fn varint(mut value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while value >= 0x80 {
            bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    }

    fn number(field: u64, value: u64) -> Vec<u8> {
        [varint(field << 3), varint(value)].concat()
    }

    fn part(field: u64, content: impl AsRef<[u8]>) -> Vec<u8> {
        [&varint(field << 3 | 2), &varint(content.as_ref().len() as u64), content.as_ref()].concat()
    }

    /// The name and shape of an input or output of 32-bit floats.
    fn outlet(name: &str, shape: [u64; 4]) -> Vec<u8> {
        let sides: Vec<u8> = shape.iter().flat_map(|side| part(1, number(1, *side))).collect();
        [part(1, name), part(2, part(1, [number(1, 1), part(2, sides)].concat()))].concat()
    }

    pub fn mean_of_colours(side: u64, planes: u64) -> Vec<u8> {
        let values: Vec<u8> = (0..3 * planes).flat_map(|_| (1.0_f32 / 3.0).to_le_bytes()).collect();
        let shape: Vec<u8> = [planes, 3, 1, 1].iter().flat_map(|side| number(1, *side)).collect();
        let weights = [shape, number(2, 1), part(8, "w"), part(9, values)].concat();
        let layer = [part(1, "x"), part(1, "w"), part(2, "y"), part(4, "Conv")].concat();
        let (input, output) = (outlet("x", [1, 3, side, side]), outlet("y", [1, planes, side, side]));
        let graph = [part(1, layer), part(2, "g"), part(5, weights), part(11, input), part(12, output)].concat();
        [number(1, 8), part(7, graph), part(8, number(2, 13))].concat()
    }
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
