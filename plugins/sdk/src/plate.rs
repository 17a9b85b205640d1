use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Manifest, Photo, PluginError};

/// A position in the photo, in pixels from its top-left corner.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub x: f32,
    pub y: f32,
}

/// Four corners of a plate: top-left, top-right, bottom-right, bottom-left as the plate is read.
pub type Quad = [Point; 4];

/// One character of a reading and how sure the model is of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CharacterReading {
    pub character: char,
    /// Probability from 0 to 1.
    pub confidence: f32,
}

/// One way to read a plate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlateText {
    /// Upper-case letters and digits only, for instance `AB123CD`.
    pub text: String,
    /// Probability from 0 to 1 that the whole text is right.
    pub confidence: f32,
    /// One entry per character of `text`.
    pub characters: Vec<CharacterReading>,
}

/// A plate seen in a photo, read or not: everything seen has to be masked, even when unreadable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlateSighting {
    pub quad: Quad,
    /// Probability from 0 to 1 that this is a plate.
    pub score: f32,
    /// Likely texts, best first; empty when nothing could be read.
    pub readings: Vec<PlateText>,
}

/// Finds plates in a photo and reads them.
#[async_trait]
pub trait PlateReader: Send + Sync {
    fn manifest(&self) -> &Manifest;

    /// From this confidence on a reading may be used without asking a person. It belongs to the model:
    /// measured on labelled photos, so that few of the readings above it are wrong.
    fn accept_from(&self) -> f32;

    /// Every plate in view, the most likely plate of the main car first. No plate is an empty list.
    ///
    /// # Errors
    /// See [`PluginError`].
    async fn read(&self, photo: &Photo) -> Result<Vec<PlateSighting>, PluginError>;
}
