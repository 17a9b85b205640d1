#![doc = include_str!("../README.md")]

mod angle;
mod blobs;
mod cut;
mod kind;
mod net;
mod plane;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use keroxio_plugin_sdk::{BackgroundRemover, Manifest, Matte, ModelCard, Photo, PluginError};
use tokio::sync::Semaphore;

pub use crate::angle::CarAngle;
use crate::net::Net;

/// Photos worked on at the same time; the others wait their turn, so that memory stays bounded.
const AT_ONCE: usize = 2;

/// Background removal by a matting or salient-object network on ONNX Runtime.
pub struct ImagesOrt {
    manifest: Manifest,
    net: Arc<Net>,
    turns: Arc<Semaphore>,
}

impl ImagesOrt {
    /// Loads a network by the path of its card.
    ///
    /// # Errors
    /// [`PluginError::ModelUnavailable`] when ONNX Runtime, the card or the network is missing, the
    /// network's checksum differs from the card, or it is not of a kind that this plugin takes.
    pub fn load(card: &Path) -> Result<Self, PluginError> {
        let (card, file, bytes) = ModelCard::load(card)?;
        let net = Net::new(&card, &bytes, AT_ONCE)?;
        let version = format!("{}+{}@{}", env!("CARGO_PKG_VERSION"), card.model, card.version);
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
            cut::matte(&net, &photo)
        };
        keroxio_onnx::interruptible(work).await
    }
}
