#![doc = include_str!("../README.md")]

mod error;
pub mod events;
mod fact_graphql;
pub mod facts;
mod fields;
mod graphql;
mod input;
mod model;
pub mod service;
mod statements;
mod tables;

pub use graphql::{VehicleMutation as Mutation, VehicleObject, VehicleQuery as Query};
pub use input::{CritAir, FuelType, GearboxType, VehicleInput, word};
pub use keroxio_core::NoSubscription as Subscription;
pub use model::Vehicle;
pub use statements::{FactOrigin, Speaker};

pub struct VehicleModule;
pub const MODULE: VehicleModule = VehicleModule;

impl keroxio_core::Module for VehicleModule {
    fn name(&self) -> &'static str {
        "vehicle"
    }
}
