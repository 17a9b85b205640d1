use async_trait::async_trait;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{Fuel, Gearbox, Manifest};

/// What a vehicle register knows of a car; absent facts are not known there. Letters are those of the registration
/// certificate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RegisteredCar {
    /// Make (field D.1).
    pub make: Option<String>,
    /// Model (field D.3).
    pub model: Option<String>,
    pub version: Option<String>,
    /// Day of first registration (field B).
    pub first_registration: Option<NaiveDate>,
    /// Energy (field P.3).
    pub fuel: Option<Fuel>,
    pub gearbox: Option<Gearbox>,
    /// DIN horsepower.
    pub power_hp: Option<u32>,
    /// Fiscal power (field P.6).
    pub fiscal_hp: Option<u32>,
    pub doors: Option<u32>,
    /// Seats (field S.1).
    pub seats: Option<u32>,
    pub colour: Option<String>,
    /// Vehicle identification number (field E).
    pub vin: Option<String>,
    /// Grams of CO2 per kilometre (field V.7).
    pub co2: Option<u32>,
}

/// Why a register did not answer.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// It does not accept the credential, or no longer.
    #[error("the register refuses the credential: {0}")]
    Refused(String),
    /// Anything that may pass on another attempt.
    #[error("the register did not answer: {0}")]
    Failed(String),
}

/// Knows cars by their registration numbers.
#[async_trait]
pub trait VehicleRegistry: Send + Sync {
    fn manifest(&self) -> &Manifest;

    /// What an answered question costs whoever asks, in euro cents.
    fn cost_cents(&self) -> u32;

    /// The car of a number (letters and digits only); none where the register does not know it. `credential` is that of
    /// the seller who asks.
    async fn look_up(&self, plate: &str, credential: &str) -> Result<Option<RegisteredCar>, RegistryError>;
}
