use keroxio_core::Event;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The reading of a photo has ended, with or without a plate, or was given up.
#[derive(Debug, Serialize, Deserialize)]
pub struct PlateRead {
    pub reading_id: Uuid,
    pub photo_id: Uuid,
    pub org_id: Uuid,
}

impl Event for PlateRead {
    const NAME: &'static str = "plates.read";
}
