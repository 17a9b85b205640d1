#![doc = include_str!("../README.md")]

mod angles;
pub mod cover;
mod cutting;
mod edits;
pub mod events;
pub mod files;
mod graphql;
pub mod hiding;
mod jobs;
mod loaders;
mod look;
mod model;
mod pictures;
pub mod pixels;
pub mod render;
mod rendition;
pub mod scene;
pub mod service;
mod shadow;
pub mod stage;
mod tables;
mod variants;
pub mod verdict;

pub use angles::MissingAngle;
pub use graphql::{ImagesMutation as Mutation, ImagesQuery as Query, PhotoCleaning, PhotoRemark, PhotoVerdict};
pub use keroxio_core::NoSubscription as Subscription;
pub use loaders::Cleanings;
pub use model::Cleaning;
pub use pictures::{PublicPicture, public_pictures, shown_files};

/// Plates seen on a finished rendition that were not hidden yet.
pub(crate) const MASK_MISSES: &str = "keroxio_plate_mask_misses_total";

/// Photos judged, by grade.
pub(crate) const VERDICTS: &str = "keroxio_photo_verdicts_total";

pub struct ImagesModule;
pub const MODULE: ImagesModule = ImagesModule;

impl keroxio_core::Module for ImagesModule {
    fn name(&self) -> &'static str {
        "images"
    }

    fn init(&self, _env: &keroxio_core::Env, app: &mut keroxio_core::AppBuilder) -> anyhow::Result<()> {
        app.provide(look::Pictures::default());
        Ok(())
    }

    fn nodes(&self) -> &'static [(&'static str, &'static str)] {
        &[("PhotoCleaning", "images_cleanings")]
    }

    fn describe_metrics(&self) {
        metrics::describe_counter!(
            MASK_MISSES,
            "Plates that the second look found on a finished rendition and the first had missed."
        );
        metrics::describe_counter!(VERDICTS, "Cut-outs judged, by grade: good, usable or rejected.");
        metrics::counter!(MASK_MISSES).absolute(0);
        for grade in [verdict::Grade::Good, verdict::Grade::Usable, verdict::Grade::Rejected] {
            metrics::counter!(VERDICTS, "grade" => grade.name()).absolute(0);
        }
    }

    fn jobs(&self, jobs: &mut keroxio_core::JobRegistry) {
        jobs.register::<jobs::CleanPhoto>().register::<jobs::ResumeCleaning>().register::<variants::DrawVariants>();
        jobs.on::<keroxio_plates::events::PlateRead, jobs::ResumeCleaning>();
    }
}
