use keroxio_core::Event;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::stock::StockState;

/// A fact of a car changed otherwise than through its listing.
#[derive(Debug, Serialize, Deserialize)]
pub struct VehicleChanged {
    pub vehicle_id: Uuid,
    pub org_id: Uuid,
}

impl Event for VehicleChanged {
    const NAME: &'static str = "vehicle.changed";
}

/// A person moved a car through the stock.
#[derive(Debug, Serialize, Deserialize)]
pub struct VehicleMoved {
    pub vehicle_id: Uuid,
    pub org_id: Uuid,
    pub from: StockState,
    pub to: StockState,
}

impl Event for VehicleMoved {
    const NAME: &'static str = "vehicle.moved";
}
