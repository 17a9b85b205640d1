use keroxio_core::metrics::Call;
use keroxio_plugin_sdk::{RegisteredCar, RegistryError};

const LOOKUPS: &str = "keroxio_vehicle_registry_lookups_total";

pub fn describe() {
    metrics::describe_counter!(LOOKUPS, "Questions to the vehicle register, by what came of them");
    for outcome in ["found", "unknown", "refused", "failed"] {
        metrics::counter!(LOOKUPS, "outcome" => outcome).absolute(0);
    }
}

/// What came of a call to the register; that it knows no such car is an answer.
pub fn call(answer: &Result<Option<RegisteredCar>, RegistryError>) -> Call {
    match answer {
        Ok(_) => Call::Ok,
        Err(RegistryError::Refused(_)) => Call::Refused,
        Err(RegistryError::Failed(_)) => Call::Failed,
    }
}

pub fn looked_up(answer: &Result<Option<RegisteredCar>, RegistryError>) {
    let outcome = match answer {
        Ok(Some(_)) => "found",
        Ok(None) => "unknown",
        Err(RegistryError::Refused(_)) => "refused",
        Err(RegistryError::Failed(_)) => "failed",
    };
    metrics::counter!(LOOKUPS, "outcome" => outcome).increment(1);
}
