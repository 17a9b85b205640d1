//! Angles of view told by the shipped network.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

use keroxio_plugin_images_ort::{CarAngle, ImagesOrt};
use keroxio_plugin_sdk::{
    Angle, AngleFinder as _, BackgroundRemover as _, DecodeLimits, Photo, PluginError, Rectangle, conformance,
};

fn model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("model").join(name)
}

fn loaded() -> Option<CarAngle> {
    if std::env::var_os("ORT_DYLIB_PATH").is_none() {
        eprintln!("SKIP: ORT_DYLIB_PATH is not set");
        return None;
    }
    Some(CarAngle::load(&model("car-angle.json")).expect("the model loads"))
}

#[tokio::test]
async fn keeps_the_promises_of_the_port() {
    if let Some(finder) = loaded() {
        conformance::angle_finder(&finder).await;
    }
}

/// The pictures are drawn by our own renderer: cars of a kind that no photo of the training shows.
#[tokio::test]
async fn tells_front_from_rear() {
    let Some(finder) = loaded() else { return };
    let cutter = ImagesOrt::load(&model("car-matte.json")).unwrap();
    for (name, front) in [("hatch-front.jpg", true), ("suv-front.jpg", true), ("hatch-rear.jpg", false)] {
        let bytes =
            std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(name)).unwrap();
        let photo = Photo::decode(&bytes, DecodeLimits::default()).unwrap();
        let matte = cutter.matte(&photo).await.unwrap();
        assert!(matte.found, "{name}");
        let car = bounds(&photo, &matte.alpha);
        let (angle, sure) = finder.angle(&photo, car).await.unwrap();
        let is_front = [Angle::Front, Angle::FrontLeft, Angle::FrontRight].contains(&angle);
        let is_rear = [Angle::Rear, Angle::RearLeft, Angle::RearRight].contains(&angle);
        assert!(if front { is_front } else { is_rear }, "{name}: {angle:?}, {sure}");
    }
}

fn bounds(photo: &Photo, alpha: &image::GrayImage) -> Rectangle {
    let car = alpha.enumerate_pixels().filter(|(_, _, a)| a.0[0] >= 128);
    let (l, t, r, b) = car
        .fold((u32::MAX, u32::MAX, 0, 0), |(l, t, r, b), (x, y, _)| (l.min(x), t.min(y), r.max(x + 1), b.max(y + 1)));
    let scale = photo.width() as f32 / alpha.width() as f32;
    let at = |v: u32| v as f32 * scale;
    Rectangle { left: at(l), top: at(t), width: at(r - l), height: at(b - t) }
}

#[test]
fn a_network_of_another_kind_is_refused() {
    if loaded().is_some() {
        let refused = CarAngle::load(&model("car-matte.json"));
        assert!(matches!(refused, Err(PluginError::ModelUnavailable(reason)) if reason.contains("contract")));
    }
}
