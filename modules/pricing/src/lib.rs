#![doc = include_str!("../README.md")]

mod error;
mod graphql;
mod model;
pub mod service;
mod tables;

pub use error::refusal_sentences;
pub use graphql::{PriceEstimate, PricingMutation as Mutation, PricingQuery as Query};
pub use keroxio_core::NoSubscription as Subscription;
pub use model::Estimate;

pub struct PricingModule;
pub const MODULE: PricingModule = PricingModule;

impl keroxio_core::Module for PricingModule {
    fn name(&self) -> &'static str {
        "pricing"
    }
}
