use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Manifest, Photo, PluginError, Rectangle};

/// From where a car was photographed. Left and right are the car's own: in France its driver sits on the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Angle {
    Front,
    FrontLeft,
    Left,
    RearLeft,
    Rear,
    RearRight,
    Right,
    FrontRight,
}

impl Angle {
    /// Once around the car.
    pub const ALL: [Self; 8] = [
        Self::Front,
        Self::FrontLeft,
        Self::Left,
        Self::RearLeft,
        Self::Rear,
        Self::RearRight,
        Self::Right,
        Self::FrontRight,
    ];
}

/// Tells from where a car was photographed.
#[async_trait]
pub trait AngleFinder: Send + Sync {
    fn manifest(&self) -> &Manifest;

    /// The likeliest angle with its probability (0 to 1); `car` is the car's rectangle in pixels of the photo.
    ///
    /// # Errors
    /// See [`PluginError`].
    async fn angle(&self, photo: &Photo, car: Rectangle) -> Result<(Angle, f32), PluginError>;
}
