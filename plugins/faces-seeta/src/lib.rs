#![doc = include_str!("../README.md")]

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use keroxio_plugin_sdk::{Face, FaceFinder, Manifest, ModelCard, Photo, PluginError, Rectangle};
use rustface::{ImageData, Model};
use tokio::sync::Semaphore;

/// Longer side, in pixels, at which faces are looked for, and the least side of one there.
const SIDE: u32 = 1_024;
const LEAST_FACE: u32 = 20;
/// How much smaller each size is at which the photo is searched. On a group photo, 0.8 found two faces more for half
/// as much time again.
const PYRAMID: f32 = 0.75;
/// The cascade's own score runs from 0 to about 10; below the least, everything is a face.
const FULL_SCORE: f64 = 10.0;
const LEAST_SCORE: f64 = 1.5;
/// Smaller cannot hold a face, and the cascade was not made for it.
const LEAST_SIDE: u32 = 40;
const AT_ONCE: usize = 2;

/// Finds faces by the SeetaFace cascade.
pub struct FacesSeeta {
    manifest: Manifest,
    model: Arc<Model>,
    turns: Arc<Semaphore>,
}

impl FacesSeeta {
    /// Loads the cascade by the path of its card.
    ///
    /// # Errors
    /// [`PluginError::ModelUnavailable`] when the card or the file is missing, altered or malformed.
    pub fn load(card: &Path) -> Result<Self, PluginError> {
        let (card, file, bytes) = ModelCard::load(card)?;
        let refused = |what: String| PluginError::ModelUnavailable(format!("{}: {what}", card.model));
        if card.contract != "faces-seeta" {
            return Err(refused(format!("contract {}", card.contract)));
        }
        let model = rustface::read_model(Cursor::new(bytes)).map_err(|e| refused(e.to_string()))?;
        let version = format!("{}+{}@{}", env!("CARGO_PKG_VERSION"), card.model, card.version);
        Ok(Self {
            manifest: Manifest { id: "faces-seeta".to_owned(), version, models: vec![file] },
            model: Arc::new(model),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }
}

#[async_trait]
impl FaceFinder for FacesSeeta {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn faces(&self, photo: &Photo) -> Result<Vec<Face>, PluginError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(failed)?;
        let (model, photo) = (Arc::clone(&self.model), photo.clone());
        let work = move || {
            let _turn = turn;
            find(&model, &photo)
        };
        tokio::task::spawn_blocking(work).await.map_err(failed)?
    }
}

fn find(model: &Model, photo: &Photo) -> Result<Vec<Face>, PluginError> {
    let scale = (SIDE as f32 / photo.width().max(photo.height()) as f32).min(1.0);
    let side = |length: u32| ((length as f32 * scale).round() as u32).max(1);
    let (width, height) = (side(photo.width()), side(photo.height()));
    if width.min(height) < LEAST_SIDE {
        return Ok(Vec::new());
    }
    let grey = grey(photo, width, height)?;
    let mut detector = rustface::create_detector_with_model(model.clone());
    detector.set_min_face_size(LEAST_FACE);
    detector.set_score_thresh(LEAST_SCORE);
    detector.set_pyramid_scale_factor(PYRAMID);
    detector.set_slide_window_step(4, 4);
    let found = detector.detect(&ImageData::new(&grey, width, height));
    let at = |length: f32| length / scale;
    Ok(found
        .iter()
        .map(|face| {
            let boxed = face.bbox();
            let area = Rectangle {
                left: at(boxed.x() as f32),
                top: at(boxed.y() as f32),
                width: at(boxed.width() as f32),
                height: at(boxed.height() as f32),
            };
            Face { area, score: (face.score() / FULL_SCORE).clamp(0.0, 1.0) as f32 }
        })
        .collect())
}

/// Luminance (ITU-R BT.601) of the photo at another size.
fn grey(photo: &Photo, width: u32, height: u32) -> Result<Vec<u8>, PluginError> {
    let source = ImageRef::new(photo.width(), photo.height(), photo.rgb().as_raw(), PixelType::U8x3).map_err(failed)?;
    let mut small = Image::new(width, height, PixelType::U8x3);
    let how = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    Resizer::new().resize(&source, &mut small, &how).map_err(failed)?;
    let luma = |p: &[u8]| ((299 * u32::from(p[0]) + 587 * u32::from(p[1]) + 114 * u32::from(p[2])) / 1_000) as u8;
    Ok(small.buffer().chunks_exact(3).map(luma).collect())
}

fn failed(e: impl std::fmt::Display) -> PluginError {
    PluginError::Failed(format!("looking for faces: {e}"))
}
