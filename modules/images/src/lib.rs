#![doc = include_str!("../README.md")]

pub mod compose;
pub mod events;
mod graphql;
mod jobs;
mod model;
mod render;
pub mod service;
mod tables;

pub use graphql::{ImagesMutation as Mutation, ImagesQuery as Query, PhotoCleaning};
pub use keroxio_core::NoSubscription as Subscription;
pub use model::Cleaning;

/// Plates seen on a finished rendition that were not hidden yet.
pub(crate) const MASK_MISSES: &str = "keroxio_plate_mask_misses_total";

pub struct ImagesModule;
pub const MODULE: ImagesModule = ImagesModule;

impl keroxio_core::Module for ImagesModule {
    fn name(&self) -> &'static str {
        "images"
    }

    fn describe_metrics(&self) {
        metrics::describe_counter!(
            MASK_MISSES,
            "Plates that the second look found on a finished rendition and the first had missed."
        );
    }

    fn jobs(&self, jobs: &mut keroxio_core::JobRegistry) {
        jobs.register::<jobs::CleanPhoto>().register::<jobs::ResumeCleaning>();
        jobs.on::<keroxio_plates::events::PlateRead, jobs::ResumeCleaning>();
    }
}
