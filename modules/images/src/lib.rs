#![doc = include_str!("../README.md")]

pub mod compose;
pub mod events;
mod graphql;
mod jobs;
mod model;
pub mod service;
mod tables;

pub use graphql::{ImagesMutation as Mutation, ImagesQuery as Query, PhotoCleaning};
pub use keroxio_core::NoSubscription as Subscription;
pub use model::Cleaning;

pub struct ImagesModule;
pub const MODULE: ImagesModule = ImagesModule;

impl keroxio_core::Module for ImagesModule {
    fn name(&self) -> &'static str {
        "images"
    }

    fn jobs(&self, jobs: &mut keroxio_core::JobRegistry) {
        jobs.register::<jobs::CleanPhoto>().register::<jobs::ResumeCleaning>();
        jobs.on::<keroxio_plates::events::PlateRead, jobs::ResumeCleaning>();
    }
}
