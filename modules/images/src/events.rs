use keroxio_core::Event;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The cleaning of a photo has ended, with or without renditions.
#[derive(Debug, Serialize, Deserialize)]
pub struct PhotoCleaned {
    pub cleaning_id: Uuid,
    pub photo_id: Uuid,
    pub org_id: Uuid,
}

impl Event for PhotoCleaned {
    const NAME: &'static str = "images.cleaned";
}
