#![doc = include_str!("../README.md")]

mod error;
pub mod events;
mod graphql;
mod jobs;
mod model;
pub mod service;
mod tables;

pub use graphql::{PlateReading, PlatesMutation as Mutation, PlatesQuery as Query};
pub use keroxio_core::NoSubscription as Subscription;
pub use model::Reading;

pub struct PlatesModule;
pub const MODULE: PlatesModule = PlatesModule;

impl keroxio_core::Module for PlatesModule {
    fn name(&self) -> &'static str {
        "plates"
    }

    fn jobs(&self, jobs: &mut keroxio_core::JobRegistry) {
        jobs.register::<jobs::ReadPlate>();
    }
}
