#![doc = include_str!("../README.md")]

mod access;
mod crop;
mod declared;
mod error;
pub mod events;
mod graphql;
mod jobs;
mod loaders;
mod metrics;
mod model;
pub mod service;
mod settings;
mod tables;

pub use graphql::{PlateReading, PlatesMutation as Mutation, PlatesQuery as Query};
pub use keroxio_core::NoSubscription as Subscription;
pub use loaders::Readings;
pub use model::Reading;

pub struct PlatesModule;
pub const MODULE: PlatesModule = PlatesModule;

impl keroxio_core::Module for PlatesModule {
    fn name(&self) -> &'static str {
        "plates"
    }

    fn nodes(&self) -> &'static [(&'static str, &'static str)] {
        &[("PlateReading", "plates_readings")]
    }

    fn settings(&self) -> &'static [keroxio_core::Setting] {
        declared::ALL
    }

    fn init(&self, env: &keroxio_core::Env, app: &mut keroxio_core::AppBuilder) -> anyhow::Result<()> {
        app.provide(settings::Retention::read(env));
        app.provide(access::Vault::from_env(env));
        app.provide(access::Service::read(env));
        Ok(())
    }

    fn jobs(&self, jobs: &mut keroxio_core::JobRegistry) {
        jobs.register::<jobs::ReadPlate>();
        jobs.register::<jobs::ForgetPlates>().recur(keroxio_core::Recurrence("40 3 * * *"), &jobs::ForgetPlates);
    }

    fn describe_metrics(&self) {
        metrics::describe();
    }
}
