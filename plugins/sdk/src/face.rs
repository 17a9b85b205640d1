use async_trait::async_trait;

use crate::{Manifest, Photo, PluginError, Rectangle};

/// A face in a photo.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Face {
    /// From brow to chin, in pixels of the photo.
    pub area: Rectangle,
    /// How surely it is one, 0 to 1.
    pub score: f32,
}

/// Finds the faces of people in a photo; whose they are is not its business.
#[async_trait]
pub trait FaceFinder: Send + Sync {
    fn manifest(&self) -> &Manifest;

    /// # Errors
    /// See [`PluginError`].
    async fn faces(&self, photo: &Photo) -> Result<Vec<Face>, PluginError>;
}
