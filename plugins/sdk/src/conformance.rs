//! The suite every plugin must pass, whoever wrote it: call these from the plugin's own tests.
//!
//! Each function panics with a sentence that says which promise of the port was broken.
#![allow(clippy::panic)]

use image::{Rgb, RgbImage};

use crate::{
    AngleFinder, BackgroundRemover, FaceFinder, Manifest, Photo, PlateReader, PriceAnswer, PriceEstimator, Rectangle,
};

/// Pictures that break careless code: one pixel, flat, extreme shapes, noise.
fn awkward_photos() -> Vec<(&'static str, Photo)> {
    let flat = |w, h, v| Photo::from_rgb(RgbImage::from_pixel(w, h, Rgb([v, v, v])));
    let noise = RgbImage::from_fn(320, 240, |x, y| {
        let v = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).wrapping_mul(2_246_822_519);
        Rgb([(v >> 8) as u8, (v >> 16) as u8, (v >> 24) as u8])
    });
    vec![
        ("one pixel", flat(1, 1, 128)),
        ("black", flat(640, 480, 0)),
        ("white", flat(640, 480, 255)),
        ("one pixel high", flat(2_000, 1, 90)),
        ("one pixel wide", flat(1, 2_000, 90)),
        ("noise", Photo::from_rgb(noise)),
        ("twelve megapixels", flat(4_000, 3_000, 60)),
    ]
}

fn check_manifest(manifest: &Manifest) {
    assert!(!manifest.id.is_empty(), "the manifest has no id");
    assert!(!manifest.version.is_empty(), "the manifest has no version");
    for model in &manifest.models {
        assert_eq!(model.sha256.len(), 64, "model {} has no SHA-256", model.name);
        assert!(!model.licence.is_empty(), "model {} has no licence", model.name);
    }
}

/// Promises of [`PlateReader`].
pub async fn plate_reader(reader: &dyn PlateReader) {
    check_manifest(reader.manifest());
    for (name, photo) in awkward_photos() {
        let first = reader.read(&photo).await.unwrap_or_else(|e| panic!("{name}: {e}"));
        let second = reader.read(&photo).await.unwrap_or_else(|e| panic!("{name}, again: {e}"));
        assert_eq!(first, second, "{name}: two readings of one photo differ");
        for sighting in &first {
            assert!((0.0..=1.0).contains(&sighting.score), "{name}: score {}", sighting.score);
            for reading in &sighting.readings {
                assert_eq!(reading.text.chars().count(), reading.characters.len(), "{name}: characters");
                assert!((0.0..=1.0).contains(&reading.confidence), "{name}: confidence");
            }
        }
    }
}

/// Promises of [`BackgroundRemover`].
pub async fn background_remover(remover: &dyn BackgroundRemover) {
    check_manifest(remover.manifest());
    for (name, photo) in awkward_photos() {
        let first = remover.matte(&photo).await.unwrap_or_else(|e| panic!("{name}: {e}"));
        let second = remover.matte(&photo).await.unwrap_or_else(|e| panic!("{name}, again: {e}"));
        let (width, height) = first.alpha.dimensions();
        let scale = f64::from(width.max(height)) / f64::from(photo.width().max(photo.height()));
        let fits = |own: u32, photo: u32| (f64::from(own) - scale * f64::from(photo)).abs() <= 1.0;
        assert!(
            scale <= 1.0 && fits(width, photo.width()) && fits(height, photo.height()),
            "{name}: {width} x {height}"
        );
        assert_eq!(first.alpha, second.alpha, "{name}: two mattes of one photo differ");
        assert!((0.0..=1.0).contains(&first.coverage), "{name}: coverage {}", first.coverage);
        assert!((0.0..=1.0).contains(&first.confidence), "{name}: confidence {}", first.confidence);
    }
}

/// Promises of [`AngleFinder`].
pub async fn angle_finder(finder: &dyn AngleFinder) {
    check_manifest(finder.manifest());
    for (name, photo) in awkward_photos() {
        let (width, height) = (photo.width() as f32, photo.height() as f32);
        let car = Rectangle { left: 0.1 * width, top: 0.2 * height, width: 0.8 * width, height: 0.6 * height };
        let first = finder.angle(&photo, car).await.unwrap_or_else(|e| panic!("{name}: {e}"));
        let second = finder.angle(&photo, car).await.unwrap_or_else(|e| panic!("{name}, again: {e}"));
        assert_eq!(first, second, "{name}: two answers for one photo differ");
        assert!((0.0..=1.0).contains(&first.1), "{name}: probability {}", first.1);
    }
}

/// Promises of [`FaceFinder`].
pub async fn face_finder(finder: &dyn FaceFinder) {
    check_manifest(finder.manifest());
    for (name, photo) in awkward_photos() {
        let first = finder.faces(&photo).await.unwrap_or_else(|e| panic!("{name}: {e}"));
        let second = finder.faces(&photo).await.unwrap_or_else(|e| panic!("{name}, again: {e}"));
        assert_eq!(first, second, "{name}: two answers for one photo differ");
        for face in &first {
            let (area, width, height) = (face.area, photo.width() as f32, photo.height() as f32);
            assert!((0.0..=1.0).contains(&face.score), "{name}: score {}", face.score);
            assert!(area.left < width && area.top < height, "{name}: a face outside the photo");
            assert!(area.left + area.width > 0.0 && area.top + area.height > 0.0, "{name}: a face outside the photo");
        }
    }
}

/// Promises of [`PriceEstimator`]; `known` is a car the model can price.
pub async fn price_estimator(estimator: &dyn PriceEstimator, known: crate::CarFacts) {
    check_manifest(estimator.manifest());
    let mut stranger = known.clone();
    stranger.make = "Zzyzx Motors".to_owned();
    let mut ancient = known.clone();
    ancient.first_registration_year = 1890;
    let cars = [known.clone(), stranger, ancient, known];
    let answers = estimator.estimate(&cars, true).await.unwrap_or_else(|e| panic!("estimate: {e}"));
    assert_eq!(answers.len(), cars.len(), "one answer per car");
    assert_eq!(answers[0], answers[3], "the same car has two prices");
    let PriceAnswer::Estimate { range, confidence, .. } = &answers[0] else {
        panic!("the known car is refused: {:?}", answers[0]);
    };
    assert!(range.low > 0.0 && range.low <= range.mid && range.mid <= range.high, "{range:?}");
    assert!((0.0..=1.0).contains(confidence), "confidence {confidence}");
    assert!(matches!(answers[1], PriceAnswer::Refused(_)), "an unknown make was priced");
    assert!(matches!(answers[2], PriceAnswer::Refused(_)), "a car of 1890 was priced");
    assert!(estimator.estimate(&[], false).await.is_ok_and(|a| a.is_empty()), "no car, no answer");
}
