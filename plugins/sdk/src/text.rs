use async_trait::async_trait;

use crate::{Manifest, Photo, PluginError, Quad};

/// A line of text in a photo.
#[derive(Debug, Clone)]
pub struct TextLine {
    pub text: String,
    /// How sure the reader is of it, 0 to 1.
    pub confidence: f32,
    /// Where it stands, in pixels of the photo, from the beginning of its upper edge clockwise.
    pub quad: Quad,
}

/// Reads any printed text in a photo, whichever way up it is.
#[async_trait]
pub trait TextReader: Send + Sync {
    fn manifest(&self) -> &Manifest;

    /// Lines in no particular order.
    async fn read_text(&self, photo: &Photo) -> Result<Vec<TextLine>, PluginError>;
}
