#![doc = include_str!("../README.md")]

mod features;
mod graphql;
mod service;
mod types;

pub use keroxio_core::NoSubscription as Subscription;

#[derive(async_graphql::MergedObject, Default)]
#[graphql(name = "AdminQuery")]
pub struct Query(graphql::OversightQuery, features::FeatureQuery);

#[derive(async_graphql::MergedObject, Default)]
#[graphql(name = "AdminMutation")]
pub struct Mutation(graphql::OversightMutation, features::FeatureMutation);

pub struct AdminModule;
pub const MODULE: AdminModule = AdminModule;

impl keroxio_core::Module for AdminModule {
    fn name(&self) -> &'static str {
        "admin"
    }
}
