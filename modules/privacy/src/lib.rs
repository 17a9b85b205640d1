#![doc = include_str!("../README.md")]

mod catalogue;
mod consent;
mod erasure;
mod export;
mod forget;
mod graphql;
mod holds;
mod model;
mod tables;

pub use graphql::{PrivacyMutation as Mutation, PrivacyQuery as Query};
pub use keroxio_core::NoSubscription as Subscription;

pub struct PrivacyModule;
pub const MODULE: PrivacyModule = PrivacyModule;

impl keroxio_core::Module for PrivacyModule {
    fn name(&self) -> &'static str {
        "privacy"
    }

    fn jobs(&self, jobs: &mut keroxio_core::JobRegistry) {
        jobs.register::<export::ExportData>();
        jobs.register::<erasure::Erase>();
        jobs.register::<forget::Forget>().recur(keroxio_core::Recurrence("55 3 * * *"), &forget::Forget);
    }
}
