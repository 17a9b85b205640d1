use std::sync::Arc;

use async_trait::async_trait;
use image::GrayImage;

use crate::{Manifest, Photo, PluginError};

/// Which pixels are the car.
#[derive(Debug, Clone)]
pub struct Matte {
    /// The photo's proportions, at most its size: to be stretched over it. 255 is car, 0 is background.
    pub alpha: GrayImage,
    /// Share of the photo covered by the car, 0 to 1.
    pub coverage: f32,
    /// How decided the matte is, 0 to 1 (mean distance of alpha from one half, near the car).
    pub confidence: f32,
    /// False when no car stands out; `alpha` is then to be ignored.
    pub found: bool,
}

/// Separates the main car from its background.
#[async_trait]
pub trait BackgroundRemover: Send + Sync {
    fn manifest(&self) -> &Manifest;

    /// # Errors
    /// See [`PluginError`].
    async fn matte(&self, photo: &Photo) -> Result<Matte, PluginError>;
}

/// The removers of an installation, in the order in which they are tried: the next one only where the verdict on
/// what the one before made is bad.
#[derive(Clone)]
pub struct BackgroundRemovers(Arc<[Arc<dyn BackgroundRemover>]>);

impl BackgroundRemovers {
    pub fn new(removers: Vec<Arc<dyn BackgroundRemover>>) -> Self {
        Self(removers.into())
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn BackgroundRemover>> {
        self.0.iter()
    }
}
