#![doc = include_str!("../README.md")]

mod error;
pub mod facts;
mod graphql;
mod input;
mod model;
pub mod service;
mod tables;

pub use graphql::{VehicleMutation as Mutation, VehicleObject, VehicleQuery as Query};
pub use input::{CritAir, FuelType, GearboxType, VehicleInput, word};
pub use keroxio_core::NoSubscription as Subscription;
pub use model::Vehicle;

pub struct VehicleModule;
pub const MODULE: VehicleModule = VehicleModule;

impl keroxio_core::Module for VehicleModule {
    fn name(&self) -> &'static str {
        "vehicle"
    }
}
