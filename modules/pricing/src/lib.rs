#![doc = include_str!("../README.md")]

mod ads;
pub mod blend;
mod confidence;
mod declared;
mod error;
mod graphql;
mod jobs;
mod level;
mod loaders;
mod market;
mod market_graphql;
mod metrics;
mod model;
mod path;
mod purpose;
mod quote;
mod quote_graphql;
pub mod service;
mod sheet;
mod tables;

use keroxio_core::{AppBuilder, Env, JobRegistry, Recurrence};

pub use ads::MarketAd;
pub use error::{FACTS_MISSING, refusal_sentences};
pub use graphql::{PriceEstimate, PricingMutation as Mutation, PricingQuery as Query};
pub use keroxio_core::NoSubscription as Subscription;
pub use loaders::Estimates;
pub use model::Estimate;

pub struct PricingModule;
pub const MODULE: PricingModule = PricingModule;

impl keroxio_core::Module for PricingModule {
    fn name(&self) -> &'static str {
        "pricing"
    }

    fn nodes(&self) -> &'static [(&'static str, &'static str)] {
        &[("PriceEstimate", "pricing_estimates")]
    }

    fn settings(&self) -> &'static [keroxio_core::Setting] {
        declared::ALL
    }

    fn init(&self, env: &Env, app: &mut AppBuilder) -> anyhow::Result<()> {
        app.provide(purpose::Coefficients::read(env));
        Ok(())
    }

    fn jobs(&self, jobs: &mut JobRegistry) {
        jobs.register::<jobs::KeepMarket>().recur(Recurrence("10 3 * * *"), &jobs::KeepMarket);
    }

    fn describe_metrics(&self) {
        metrics::describe();
    }
}
