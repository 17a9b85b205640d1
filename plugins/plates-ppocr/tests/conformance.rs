//! Runs the real networks: `ORT_DYLIB_PATH` and `KEROXIO_MODELS_DIR` have to name what is installed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use image::{Rgb, RgbImage};
use keroxio_plugin_plates_ppocr::PlatesPpocr;
use keroxio_plugin_sdk::{Photo, PlateReader, PluginError, conformance};

fn reader() -> Option<PlatesPpocr> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.keroxio/models");
    let store = PathBuf::from(std::env::var("KEROXIO_MODELS_DIR").unwrap_or_else(|_| default.to_owned()));
    let [detection, recognition] = ["detection", "recognition"].map(|net| store.join(format!("ppocr-v4-{net}.json")));
    if std::env::var_os("ORT_DYLIB_PATH").is_none() || !detection.exists() {
        eprintln!("SKIP: ONNX Runtime or the PP-OCR models are not installed");
        return None;
    }
    Some(PlatesPpocr::load(&detection, &recognition).expect("installed models load"))
}

#[tokio::test]
async fn keeps_the_promises_of_the_port() {
    if let Some(reader) = reader() {
        conformance::plate_reader(&reader).await;
    }
}

#[tokio::test]
async fn a_wall_of_boxes_takes_bounded_time() {
    let Some(reader) = reader() else { return };
    // Fifty striped boxes with the shape of a plate: text to the detector, a plate to nobody.
    let wall = RgbImage::from_fn(1_280, 960, |x, y| {
        let (column, row) = (x % 256, y % 96);
        let inside = (20..236).contains(&column) && (24..72).contains(&row);
        let stroke = inside && (column / 9) % 2 == 0 && (30..66).contains(&row);
        Rgb(if stroke {
            [10; 3]
        } else if inside {
            [245; 3]
        } else {
            [120; 3]
        })
    });
    let begun = Instant::now();
    reader.read(&Photo::from_rgb(wall)).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[test]
fn a_missing_model_is_an_operators_problem() {
    let refusal = PlatesPpocr::load(Path::new("no/such/card.json"), Path::new("no/such/card.json")).err();
    assert!(matches!(refusal, Some(PluginError::ModelUnavailable(_))), "{refusal:?}");
}
