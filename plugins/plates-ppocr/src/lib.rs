#![doc = include_str!("../README.md")]

mod boxes;
mod geometry;
mod lines;
mod nets;
mod pipeline;
mod text;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use keroxio_onnx::Contract;
use keroxio_plugin_sdk::{Manifest, ModelCard, Photo, PlateReader, PlateSighting, PluginError, TextLine, TextReader};
use tokio::sync::Semaphore;

use crate::nets::Nets;

/// A reading at least this sure needs no confirmation by a person.
const ACCEPT_CONFIDENCE: f32 = 0.92;

/// Photos worked on at the same time; the others wait their turn, so that memory stays bounded.
const AT_ONCE: usize = 2;

/// Plate reading by general text detection and recognition, ordered by the grammar of French plates.
pub struct PlatesPpocr {
    manifest: Manifest,
    nets: Arc<Nets>,
    turns: Arc<Semaphore>,
}

impl PlatesPpocr {
    /// Loads both networks by the paths of their cards; ONNX Runtime is the library that `ORT_DYLIB_PATH` names.
    ///
    /// # Errors
    /// [`PluginError::ModelUnavailable`] when ONNX Runtime, a card or a network is missing, or a checksum differs.
    pub fn load(detection: &Path, recognition: &Path) -> Result<Self, PluginError> {
        let (manifest, nets) = load("plates-ppocr", detection, recognition, AT_ONCE)?;
        Ok(Self { manifest, nets: Arc::new(nets), turns: Arc::new(Semaphore::new(AT_ONCE)) })
    }
}

/// Reads any text by the same networks, one photo at a time.
pub struct TextPpocr {
    manifest: Manifest,
    nets: Arc<Nets>,
    turns: Arc<Semaphore>,
}

impl TextPpocr {
    /// # Errors
    /// As [`PlatesPpocr::load`].
    pub fn load(detection: &Path, recognition: &Path) -> Result<Self, PluginError> {
        let (manifest, nets) = load("text-ppocr", detection, recognition, 1)?;
        Ok(Self { manifest, nets: Arc::new(nets), turns: Arc::new(Semaphore::new(1)) })
    }
}

fn load(id: &str, detection: &Path, recognition: &Path, at_once: usize) -> Result<(Manifest, Nets), PluginError> {
    let (detector, detection, detection_bytes) = ModelCard::load(detection)?;
    let (card, recognition, recognition_bytes) = ModelCard::load(recognition)?;
    for (card, bytes, contract) in
        [(&detector, &detection_bytes, "ppocr-detection"), (&card, &recognition_bytes, "ppocr-recognition")]
    {
        let kind = Contract::named(&card.contract).filter(|kind| kind.name == contract);
        let wrong = || PluginError::ModelUnavailable(format!("{}: contract {}", card.model, card.contract));
        kind.ok_or_else(wrong)?.check(&keroxio_onnx::session(bytes)?)?;
    }
    let nets = Nets::new(&detection_bytes, &recognition_bytes, at_once)?;
    let manifest = Manifest {
        id: id.to_owned(),
        version: format!("{}+{}@{}", env!("CARGO_PKG_VERSION"), card.model, card.version),
        models: vec![detection, recognition],
    };
    Ok((manifest, nets))
}

#[async_trait]
impl PlateReader for PlatesPpocr {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn accept_from(&self) -> f32 {
        ACCEPT_CONFIDENCE
    }

    async fn read(&self, photo: &Photo) -> Result<Vec<PlateSighting>, PluginError> {
        in_turn(&self.turns, &self.nets, photo, pipeline::read).await
    }
}

#[async_trait]
impl TextReader for TextPpocr {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn read_text(&self, photo: &Photo) -> Result<Vec<TextLine>, PluginError> {
        in_turn(&self.turns, &self.nets, photo, lines::read).await
    }
}

async fn in_turn<T: Send + 'static>(
    turns: &Arc<Semaphore>,
    nets: &Arc<Nets>,
    photo: &Photo,
    read: fn(&Nets, &image::RgbImage) -> Result<T, PluginError>,
) -> Result<T, PluginError> {
    let turn = Arc::clone(turns).acquire_owned().await.map_err(|e| PluginError::Failed(e.to_string()))?;
    let (nets, photo) = (Arc::clone(nets), photo.clone());
    // The turn moves along: a caller that gives up must not let one more photo in.
    let work = move || {
        let _turn = turn;
        read(&nets, photo.rgb())
    };
    keroxio_onnx::interruptible(work).await
}
