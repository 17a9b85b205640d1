#![doc = include_str!("../README.md")]

mod boxes;
mod geometry;
mod nets;
mod pipeline;
mod text;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use keroxio_onnx::Contract;
use keroxio_plugin_sdk::{Manifest, ModelCard, Photo, PlateReader, PlateSighting, PluginError};
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
        let (detector, detection, detection_bytes) = ModelCard::load(detection)?;
        let (card, recognition, recognition_bytes) = ModelCard::load(recognition)?;
        for (card, bytes, contract) in
            [(&detector, &detection_bytes, "ppocr-detection"), (&card, &recognition_bytes, "ppocr-recognition")]
        {
            let kind = Contract::named(&card.contract).filter(|kind| kind.name == contract);
            let wrong = || PluginError::ModelUnavailable(format!("{}: contract {}", card.model, card.contract));
            kind.ok_or_else(wrong)?.check(&keroxio_onnx::session(bytes)?)?;
        }
        let nets = Nets::new(&detection_bytes, &recognition_bytes, AT_ONCE)?;
        Ok(Self {
            manifest: Manifest {
                id: "plates-ppocr".to_owned(),
                version: format!("{}+{}@{}", env!("CARGO_PKG_VERSION"), card.model, card.version),
                models: vec![detection, recognition],
            },
            nets: Arc::new(nets),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }
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
        let failed = |e: &dyn std::fmt::Display| PluginError::Failed(e.to_string());
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|e| failed(&e))?;
        let (nets, photo) = (Arc::clone(&self.nets), photo.clone());
        // The turn moves along: a caller that gives up must not let one more photo in.
        let work = move || {
            let _turn = turn;
            pipeline::read(&nets, photo.rgb())
        };
        keroxio_onnx::interruptible(work).await
    }
}
