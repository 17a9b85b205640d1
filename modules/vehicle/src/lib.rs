#![doc = include_str!("../README.md")]

mod catalogue;
mod catalogue_graphql;
mod error;
pub mod events;
mod export;
mod fact_graphql;
pub mod facts;
mod fields;
mod graphql;
mod import;
mod input;
mod metrics;
mod model;
mod registry;
mod registry_graphql;
pub mod service;
mod statements;
pub mod stock;
mod stock_graphql;
mod tables;

pub use graphql::VehicleObject;
pub use input::{CritAir, FuelType, GearboxType, VehicleInput, word};
pub use keroxio_core::NoSubscription as Subscription;
pub use model::Vehicle;
pub use statements::{FactOrigin, Speaker};
pub use stock::StockState;

#[derive(async_graphql::MergedObject, Default)]
#[graphql(name = "VehicleAndStockQuery")]
pub struct Query(
    graphql::VehicleQuery,
    stock_graphql::StockQuery,
    registry_graphql::RegistryQuery,
    catalogue_graphql::CatalogueQuery,
);

#[derive(async_graphql::MergedObject, Default)]
#[graphql(name = "VehicleAndStockMutation")]
pub struct Mutation(graphql::VehicleMutation, stock_graphql::StockMutation, registry_graphql::RegistryMutation);

pub struct VehicleModule;
pub const MODULE: VehicleModule = VehicleModule;

impl keroxio_core::Module for VehicleModule {
    fn name(&self) -> &'static str {
        "vehicle"
    }

    fn init(&self, env: &keroxio_core::Env, app: &mut keroxio_core::AppBuilder) -> anyhow::Result<()> {
        app.provide(registry::Sealer::from_env(env));
        Ok(())
    }

    fn jobs(&self, jobs: &mut keroxio_core::JobRegistry) {
        jobs.register::<registry::LookUp>();
    }

    fn describe_metrics(&self) {
        metrics::describe();
    }
}
