#![doc = include_str!("../README.md")]

mod graphql;
mod mutation;
mod subscription;

pub use graphql::{Job, JobsQuery as Query};
pub use mutation::JobsMutation as Mutation;
pub use subscription::JobsSubscription as Subscription;

pub struct JobsModule;
pub const MODULE: JobsModule = JobsModule;

impl keroxio_core::Module for JobsModule {
    fn name(&self) -> &'static str {
        "jobs"
    }

    fn nodes(&self) -> &'static [(&'static str, &'static str)] {
        &[("Job", "core_jobs"), ("Job", "core_jobs_ended")]
    }
}
