#![doc = include_str!("../README.md")]

mod catalogue;
mod catalogue_graphql;
mod certificate;
mod declared;
mod error;
pub mod events;
mod export;
mod fact_graphql;
pub mod facts;
mod fields;
mod graphql;
pub mod histovec;
mod import;
mod input;
mod loaders;
mod metrics;
mod model;
mod papers_graphql;
mod registry;
mod registry_graphql;
pub mod service;
mod statements;
pub mod stock;
mod stock_graphql;
mod tables;

pub use certificate::Switch as CertificateSwitch;
pub use graphql::VehicleObject;
pub use input::{CritAir, FuelType, GearboxType, VehicleInput, word};
pub use keroxio_core::NoSubscription as Subscription;
pub use loaders::Vehicles;
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
pub struct Mutation(
    graphql::VehicleMutation,
    stock_graphql::StockMutation,
    registry_graphql::RegistryMutation,
    papers_graphql::PapersMutation,
);

pub struct VehicleModule;
pub const MODULE: VehicleModule = VehicleModule;

impl keroxio_core::Module for VehicleModule {
    fn name(&self) -> &'static str {
        "vehicle"
    }

    fn nodes(&self) -> &'static [(&'static str, &'static str)] {
        &[("Vehicle", "vehicle_vehicles")]
    }

    fn settings(&self) -> &'static [keroxio_core::Setting] {
        declared::ALL
    }

    fn init(&self, env: &keroxio_core::Env, app: &mut keroxio_core::AppBuilder) -> anyhow::Result<()> {
        app.provide(registry::Sealer::from_env(env, "registry"));
        app.provide(certificate::Switch::from_env(env));
        Ok(())
    }

    fn jobs(&self, jobs: &mut keroxio_core::JobRegistry) {
        jobs.register::<registry::LookUp>().register::<certificate::ReadCertificate>();
        let every_night = histovec::ForgetReports;
        jobs.register::<histovec::ForgetReports>().recur(keroxio_core::Recurrence("50 3 * * *"), &every_night);
    }

    fn describe_metrics(&self) {
        metrics::describe();
    }
}
