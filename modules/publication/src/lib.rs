#![doc = include_str!("../README.md")]

mod channel;
mod error;
mod graphql;
mod jobs;
mod model;
pub mod service;
mod tables;

pub use graphql::{PublicationMutation as Mutation, PublicationQuery as Query};
pub use keroxio_core::NoSubscription as Subscription;

pub struct PublicationModule;
pub const MODULE: PublicationModule = PublicationModule;

impl keroxio_core::Module for PublicationModule {
    fn name(&self) -> &'static str {
        "publication"
    }

    fn init(&self, _env: &keroxio_core::Env, app: &mut keroxio_core::AppBuilder) -> anyhow::Result<()> {
        app.provide(channel::Channels::load()?);
        Ok(())
    }

    fn jobs(&self, jobs: &mut keroxio_core::JobRegistry) {
        jobs.register::<jobs::BuildPacks>();
        jobs.on::<keroxio_listing::events::ListingPrepared, jobs::BuildPacks>();
    }
}
