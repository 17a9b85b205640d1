#![doc = include_str!("../README.md")]

mod declared;
mod error;
pub mod events;
mod graphql;
mod job;
mod model;
mod plans;
pub mod service;
mod settings;
mod standing;
mod tables;

pub use graphql::{PlanObject, PlanQuery as Query};
pub use keroxio_core::{NoMutation as Mutation, NoSubscription as Subscription};
pub use plans::{Catalogue, Plan, PlanCode, Unit};
pub use standing::{Paid, PlanStatus, Standing};

/// Work that was refused because a limit was reached, by unit.
pub(crate) const REFUSALS: &str = "keroxio_plan_refusals_total";

pub struct SubscriptionModule;
pub const MODULE: SubscriptionModule = SubscriptionModule;

impl keroxio_core::Module for SubscriptionModule {
    fn name(&self) -> &'static str {
        "subscription"
    }

    fn settings(&self) -> &'static [keroxio_core::Setting] {
        declared::ALL
    }

    fn init(&self, env: &keroxio_core::Env, app: &mut keroxio_core::AppBuilder) -> anyhow::Result<()> {
        app.provide(settings::Settings::read(env));
        Ok(())
    }

    fn jobs(&self, jobs: &mut keroxio_core::JobRegistry) {
        jobs.register::<job::Forget>().recur(keroxio_core::Recurrence("35 4 * * *"), &job::Forget);
    }

    fn describe_metrics(&self) {
        metrics::describe_counter!(REFUSALS, "Work refused because a plan's limit was reached, by unit.");
        for unit in Unit::ALL {
            metrics::counter!(REFUSALS, "unit" => unit.name()).absolute(0);
        }
    }
}
