#![doc = include_str!("../README.md")]

mod blobs;
mod card;
mod cut;
mod net;
mod plane;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use keroxio_plugin_sdk::{BackgroundRemover, Manifest, Matte, ModelFile, Photo, PluginError};
use tokio::sync::Semaphore;

use crate::card::Card;
use crate::net::Net;

/// Photos worked on at the same time; the others wait their turn, so that memory stays bounded.
const AT_ONCE: usize = 2;

/// Background removal by our own matting network on ONNX Runtime.
pub struct ImagesOrt {
    manifest: Manifest,
    net: Arc<Net>,
    turns: Arc<Semaphore>,
}

impl ImagesOrt {
    /// Loads `card.json` and the network it names from a folder.
    ///
    /// # Errors
    /// [`PluginError::ModelUnavailable`] when ONNX Runtime, the card or the network is missing, the
    /// network's checksum differs from the card, or the runtime refuses it.
    pub fn load(model_dir: &Path) -> Result<Self, PluginError> {
        let card = Card::read(model_dir)?;
        let (file, bytes) = ModelFile::load(&model_dir.join(&card.file), &card.licence, Some(&card.sha256))?;
        let net = Net::new(&card, &bytes, AT_ONCE)?;
        let version = format!("{}+{}", env!("CARGO_PKG_VERSION"), card.exported_at);
        Ok(Self {
            manifest: Manifest { id: "images-ort".to_owned(), version, models: vec![file] },
            net: Arc::new(net),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }
}

#[async_trait]
impl BackgroundRemover for ImagesOrt {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn matte(&self, photo: &Photo) -> Result<Matte, PluginError> {
        let failed = |e: &dyn std::fmt::Display| PluginError::Failed(e.to_string());
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|e| failed(&e))?;
        let (net, photo) = (Arc::clone(&self.net), photo.clone());
        // The turn moves along: a caller that gives up must not let one more photo in.
        let work = move || {
            let _turn = turn;
            cut::matte(&net, photo.rgb())
        };
        keroxio_onnx::interruptible(work).await
    }
}
