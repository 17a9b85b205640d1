//! The promises of the port, kept by the cascade that `make setup` copies, and faces of our own drawing found.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage};
use keroxio_plugin_faces_seeta::FacesSeeta;
use keroxio_plugin_sdk::{FaceFinder as _, Photo, PluginError, conformance};

fn card() -> PathBuf {
    let store = std::env::var_os("KEROXIO_MODELS_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.keroxio/models"), PathBuf::from);
    store.join("seeta-face-frontal.json")
}

fn loaded() -> Option<FacesSeeta> {
    if !card().exists() {
        eprintln!("SKIP: no face model, run `make setup`");
        return None;
    }
    Some(FacesSeeta::load(&card()).expect("the model loads"))
}

/// An ellipse that fades at its rim, 1 in its middle.
fn spot(x: f32, y: f32, (left, top): (f32, f32), (wide, high): (f32, f32)) -> f32 {
    (-(((x - left) / wide).powi(2) + ((y - top) / high).powi(2)).powi(2)).exp()
}

/// The grey of a drawn face, in units of its width from its middle.
fn face(x: f32, y: f32) -> f32 {
    let head = 1.0 / (1.0 + (((x / 0.48).powi(2) + (y / 0.66).powi(2) - 1.0) * 14.0).min(60.0).exp());
    let mut grey = 150.0 * (1.0 - head) + (190.0 + 25.0 * (x * 2.6).cos() - 11.0 * y) * head;
    for side in [-1.0, 1.0] {
        grey -= 70.0 * spot(x, y, (side * 0.2, -0.2), (0.13, 0.035));
        grey -= 35.0 * spot(x, y, (side * 0.2, -0.08), (0.14, 0.08));
        grey -= 90.0 * spot(x, y, (side * 0.2, -0.08), (0.085, 0.04));
        grey -= 45.0 * spot(x, y, (side * 0.06, 0.17), (0.04, 0.025));
    }
    grey += 22.0 * spot(x, y, (0.0, 0.05), (0.04, 0.16));
    grey -= 70.0 * spot(x, y, (0.0, 0.36), (0.17, 0.03));
    grey - 30.0 * spot(x, y, (0.0, 0.36), (0.18, 0.06))
}

fn drawn(middle: (f32, f32), width: f32) -> Photo {
    Photo::from_rgb(RgbImage::from_fn(800, 600, |x, y| {
        let grey = face((x as f32 - middle.0) / width, (y as f32 - middle.1) / width);
        Rgb([grey.clamp(0.0, 255.0) as u8; 3])
    }))
}

#[tokio::test]
async fn keeps_the_promises_of_the_port() {
    if let Some(finder) = loaded() {
        conformance::face_finder(&finder).await;
    }
}

#[tokio::test]
async fn finds_a_face_where_it_is() {
    let Some(finder) = loaded() else { return };
    for (middle, width) in [((300.0, 250.0), 90.0), ((520.0, 330.0), 140.0)] {
        let found = finder.faces(&drawn(middle, width)).await.unwrap();
        let sure: Vec<_> = found.iter().filter(|face| face.score >= 0.45).collect();
        assert_eq!(sure.len(), 1, "{found:?}");
        let area = sure[0].area;
        let (x, y) = (area.left + area.width / 2.0, area.top + area.height / 2.0);
        assert!((x - middle.0).abs() < 0.25 * width && (y - middle.1).abs() < 0.3 * width, "{area:?} for {middle:?}");
    }
}

#[tokio::test]
async fn an_altered_model_is_refused() {
    if loaded().is_none() {
        return;
    }
    let folder = std::env::temp_dir().join(format!("keroxio-faces-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(card(), folder.join("face.json")).unwrap();
    let mut bytes = std::fs::read(card().with_extension("bin")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(folder.join("seeta-face-frontal.bin"), bytes).unwrap();
    let refused = FacesSeeta::load(&folder.join("face.json"));
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(matches!(refused, Err(PluginError::ModelUnavailable(reason)) if reason.contains("checksum")));
}
