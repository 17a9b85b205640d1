#![doc = include_str!("../README.md")]

mod declared;
mod graphql;
mod job;
mod letter;
mod model;
pub mod service;
mod settings;
mod tables;
mod transport;

pub use graphql::EmailQuery as Query;
pub use keroxio_core::{NoMutation as Mutation, NoSubscription as Subscription};
pub use letter::{Letter, Locale};

pub struct EmailModule;
pub const MODULE: EmailModule = EmailModule;

impl keroxio_core::Module for EmailModule {
    fn name(&self) -> &'static str {
        "email"
    }

    fn settings(&self) -> &'static [keroxio_core::Setting] {
        declared::ALL
    }

    fn init(&self, env: &keroxio_core::Env, app: &mut keroxio_core::AppBuilder) -> anyhow::Result<()> {
        app.provide(settings::Settings::read(env));
        app.provide(transport::Transport::from_env(env));
        Ok(())
    }

    fn describe_metrics(&self) {
        keroxio_core::metrics::know_events(&["email.sent", "email.failed"]);
    }

    fn jobs(&self, jobs: &mut keroxio_core::JobRegistry) {
        jobs.register::<job::SendLetter>();
    }
}
