#![doc = include_str!("../README.md")]

mod angle;
mod colour;
pub mod conformance;
mod face;
pub mod geometry;
mod manifest;
mod matte;
mod photo;
mod plate;
mod price;
mod registry;
mod rewrite;
mod text;

pub use angle::{Angle, AngleFinder};
pub use face::{Face, FaceFinder};
pub use manifest::{Manifest, ModelCard, ModelFile, read_card};
pub use matte::{BackgroundRemover, BackgroundRemovers, Matte};
pub use photo::{DecodeLimits, Photo, PhotoError, PhotoFormat, measure, sniff};
pub use plate::{
    CharacterReading, PlateAnswer, PlateReader, PlateReaders, PlateSighting, PlateText, Point, Quad, Rectangle,
};
pub use price::{
    CarFacts, CarName, Fuel, Gearbox, PriceAnswer, PriceContribution, PriceEstimator, PriceRange, PriceRemark, Refusal,
    age_years,
};
pub use registry::{RegisteredCar, RegistryError, VehicleRegistry};
pub use rewrite::{Draft, RewriteError, TextRewriter};
pub use text::{TextLine, TextReader};

/// What can go wrong inside a plugin; the runner decides from the variant whether trying again makes sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// A model file is missing, altered (checksum) or refused by the runtime: an operator has to act.
    #[error("model unavailable: {0}")]
    ModelUnavailable(String),
    /// The input can never be processed, however often it is tried.
    #[error("unsupported input: {0}")]
    UnsupportedInput(String),
    /// A service refuses the key it was asked with: its owner has to act.
    #[error("access refused: {0}")]
    Refused(String),
    /// Anything that may pass on another attempt (memory, a remote service, a lost thread).
    #[error("inference failed: {0}")]
    Failed(String),
}

impl PluginError {
    /// Whether trying again cannot help.
    pub fn is_lasting(&self) -> bool {
        matches!(self, Self::UnsupportedInput(_) | Self::Refused(_))
    }
}
