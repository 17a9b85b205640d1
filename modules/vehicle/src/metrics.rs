use keroxio_plugin_sdk::{RegisteredCar, RegistryError};

const LOOKUPS: &str = "keroxio_vehicle_registry_lookups_total";

pub fn describe() {
    metrics::describe_counter!(LOOKUPS, "Questions to the vehicle register, by what came of them");
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
