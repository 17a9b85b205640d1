//! Our own networks on pictures we made, and on what people send by mistake.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

use image::imageops::{FilterType, crop_imm, flip_horizontal, overlay, resize};
use image::{Rgb, RgbImage};
use keroxio_plugin_plates_ort::PlatesOrt;
use keroxio_plugin_sdk::{DecodeLimits, Photo, PlateReader, PlateSighting, PluginError, Point, conformance};
use serde::Deserialize;

/// What is known of a picture of ours.
#[derive(Deserialize)]
struct Truth {
    plate: String,
    quad: [[f32; 2]; 4],
}

fn model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("model").join(name)
}

fn reader() -> Option<PlatesOrt> {
    if std::env::var_os("ORT_DYLIB_PATH").is_none() {
        eprintln!("SKIP: ORT_DYLIB_PATH names no ONNX Runtime; `make test` does");
        return None;
    }
    Some(PlatesOrt::load(&model("plate-detector.json"), &model("plate-reader.json")).expect("our models load"))
}

fn fixture(name: &str) -> RgbImage {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(name);
    Photo::decode(&std::fs::read(path).unwrap(), DecodeLimits::default()).unwrap().rgb().clone()
}

fn truth(name: &str) -> Truth {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

async fn read(reader: &PlatesOrt, photo: RgbImage) -> Vec<PlateSighting> {
    reader.read(&Photo::from_rgb(photo)).await.unwrap()
}

/// Whether the reader would go on without asking anybody.
fn accepts(reader: &PlatesOrt, sightings: &[PlateSighting]) -> bool {
    let reading = sightings.first().and_then(|sighting| sighting.readings.first());
    reading.is_some_and(|reading| reading.confidence >= reader.accept_from())
}

fn bounds(quad: &[[f32; 2]; 4]) -> (u32, u32, u32, u32) {
    let ends = |axis: usize| quad.iter().map(|p| p[axis]).fold((f32::MAX, f32::MIN), |(a, b), v| (a.min(v), b.max(v)));
    let ((left, right), (top, bottom)) = (ends(0), ends(1));
    (left as u32, top as u32, (right - left) as u32 + 1, (bottom - top) as u32 + 1)
}

#[tokio::test]
async fn a_second_look_sees_what_was_not_covered_and_nothing_else() {
    let Some(reader) = reader() else { return };
    let (photo, truth) = (fixture("hatch-front.jpg"), truth("hatch-front.json"));
    let open = reader.look_again(&Photo::from_rgb(photo.clone())).await.unwrap();
    let reading = open.iter().find_map(|sighting| sighting.readings.first()).expect("the plate is read");
    assert_eq!(reading.text, truth.plate.replace('-', ""));
    let (left, top, width, height) = bounds(&truth.quad);
    let mut covered = photo;
    overlay(
        &mut covered,
        &RgbImage::from_pixel(width + 20, height + 10, Rgb([214; 3])),
        left as i64 - 10,
        top as i64 - 5,
    );
    let shut = reader.look_again(&Photo::from_rgb(covered)).await.unwrap();
    assert!(shut.iter().all(|sighting| sighting.readings.is_empty()), "{shut:?}");
}

#[tokio::test]
async fn keeps_the_promises_of_the_port() {
    if let Some(reader) = reader() {
        conformance::plate_reader(&reader).await;
    }
}

#[tokio::test]
async fn plates_of_our_pictures_are_read_and_their_corners_found() {
    let Some(reader) = reader() else { return };
    for name in ["hatch-front", "hatch-rear", "suv-front"] {
        let truth = truth(&format!("{name}.json"));
        let sightings = read(&reader, fixture(&format!("{name}.jpg"))).await;
        assert_eq!(sightings.len(), 1, "{name}: {sightings:?}");
        let text = &sightings[0].readings[0].text;
        assert_eq!(*text, truth.plate.replace('-', ""), "{name}");
        let width = (truth.quad[1][0] - truth.quad[0][0]).hypot(truth.quad[1][1] - truth.quad[0][1]);
        for (found, [x, y]) in sightings[0].quad.iter().zip(truth.quad) {
            let Point { x: u, y: v } = *found;
            assert!((u - x).hypot(v - y) < 0.08 * width, "{name}: corner {found:?} instead of {x} {y}");
        }
    }
}

#[tokio::test]
async fn no_plate_and_no_car_is_no_plate() {
    let Some(reader) = reader() else { return };
    let sightings = read(&reader, fixture("no-car.jpg")).await;
    assert!(sightings.iter().all(|sighting| sighting.readings.is_empty()), "{sightings:?}");
}

#[tokio::test]
async fn what_cannot_be_read_is_never_certain() {
    let Some(reader) = reader() else { return };
    let photo = fixture("hatch-front.jpg");
    let (left, top, width, height) = bounds(&truth("hatch-front.json").quad);
    let mut covered = photo.clone();
    overlay(&mut covered, &RgbImage::from_pixel(width / 2, height, Rgb([40, 44, 50])), left.into(), top.into());
    let half = crop_imm(&photo, 0, 0, left + width / 2, photo.height()).to_image();
    let awkward = [
        ("a mirror image", flip_horizontal(&photo)),
        ("half a plate at the edge", half),
        ("half of it covered", covered),
        ("64 x 64 pixels", resize(&photo, 64, 64, FilterType::Triangle)),
        (
            "a plate 20 pixels wide",
            resize(&photo, photo.width() * 20 / width, photo.height() * 20 / width, FilterType::Triangle),
        ),
    ];
    for (what, photo) in awkward {
        let sightings = read(&reader, photo).await;
        assert!(!accepts(&reader, &sightings), "{what}: {:?}", sightings[0].readings.first());
    }
}

#[tokio::test]
async fn a_car_park_of_fifty_plates_is_seen_within_bounds() {
    let Some(reader) = reader() else { return };
    let photo = fixture("hatch-front.jpg");
    let (left, top, width, height) = bounds(&truth("hatch-front.json").quad);
    let around = crop_imm(&photo, left - width / 2, top - height, 2 * width, 3 * height).to_image();
    let car = resize(&around, 300, 300 * around.height() / around.width(), FilterType::Triangle);
    let mut park = RgbImage::from_pixel(10 * 320, 5 * 260, Rgb([96, 98, 100]));
    for (column, row) in (0..50).map(|n| (n % 10, n / 10)) {
        overlay(&mut park, &car, column * 320 + 10, row * 260 + 10);
    }
    let sightings = read(&reader, park).await;
    assert!((40..=50).contains(&sightings.len()), "{} of 50 would be hidden", sightings.len());
    assert!(sightings.iter().filter(|sighting| !sighting.readings.is_empty()).count() <= 36, "six of each look");
}

#[test]
fn a_missing_or_altered_model_is_an_operators_problem() {
    let folder = tempfile::tempdir().unwrap();
    let card = folder.path().join("plate-reader.json");
    std::fs::copy(model("plate-reader.json"), &card).unwrap();
    let load =
        || PlatesOrt::load(&model("plate-detector.json"), &card).err().map(|e| e.to_string()).unwrap_or_default();
    assert!(load().contains("plate-reader.onnx"), "the file is missing: {}", load());
    let mut bytes = std::fs::read(model("plate-reader.onnx")).unwrap();
    bytes.truncate(1_000);
    std::fs::write(folder.path().join("plate-reader.onnx"), bytes).unwrap();
    assert!(load().contains("checksum"), "the file is cut off: {}", load());
    let swapped = PlatesOrt::load(&model("plate-reader.json"), &model("plate-detector.json")).err();
    assert!(matches!(&swapped, Some(PluginError::ModelUnavailable(why)) if why.contains("contract")), "{swapped:?}");
}
