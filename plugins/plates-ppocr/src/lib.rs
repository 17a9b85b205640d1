#![doc = include_str!("../README.md")]

mod boxes;
mod geometry;
mod nets;
mod pipeline;
mod text;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use keroxio_plugin_sdk::{Manifest, ModelFile, Photo, PlateReader, PlateSighting, PluginError};
use tokio::sync::Semaphore;

use crate::nets::Nets;

/// A reading at least this sure needs no confirmation by a person.
const ACCEPT_CONFIDENCE: f32 = 0.92;

/// Photos worked on at the same time; the others wait their turn, so that memory stays bounded.
const AT_ONCE: usize = 2;

const DETECTION: (&str, &str) =
    ("ch_PP-OCRv4_det_infer.onnx", "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9");
const RECOGNITION: (&str, &str) =
    ("ch_PP-OCRv4_rec_infer.onnx", "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b");

/// Plate reading by general text detection and recognition, ordered by the grammar of French plates.
pub struct PlatesPpocr {
    manifest: Manifest,
    nets: Arc<Nets>,
    turns: Arc<Semaphore>,
}

impl PlatesPpocr {
    /// Loads both networks from a folder; ONNX Runtime is the library that `ORT_DYLIB_PATH` names.
    ///
    /// # Errors
    /// [`PluginError::ModelUnavailable`] when ONNX Runtime or a network is missing, or a checksum differs.
    pub fn load(model_dir: &Path) -> Result<Self, PluginError> {
        let file = |(name, sha256): (&str, &str)| ModelFile::load(&model_dir.join(name), "Apache-2.0", Some(sha256));
        let (detection, detection_bytes) = file(DETECTION)?;
        let (recognition, recognition_bytes) = file(RECOGNITION)?;
        let nets = Nets::new(&detection_bytes, &recognition_bytes, AT_ONCE)?;
        Ok(Self {
            manifest: Manifest {
                id: "plates-ppocr".to_owned(),
                version: format!("{}+v4", env!("CARGO_PKG_VERSION")),
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
