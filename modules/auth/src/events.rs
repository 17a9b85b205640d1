use keroxio_core::Event;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An organization has another name or company number.
#[derive(Debug, Serialize, Deserialize)]
pub struct OrganizationChanged {
    pub org_id: Uuid,
}

impl Event for OrganizationChanged {
    const NAME: &'static str = "auth.organization_changed";
}
