use keroxio_core::Event;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A fact of a car changed otherwise than through its listing.
#[derive(Debug, Serialize, Deserialize)]
pub struct VehicleChanged {
    pub vehicle_id: Uuid,
    pub org_id: Uuid,
}

impl Event for VehicleChanged {
    const NAME: &'static str = "vehicle.changed";
}
