//! What happens to leads, told to modules above.

use chrono::{DateTime, Utc};
use keroxio_core::Event;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Somebody asked about a car, for the first time or again.
#[derive(Debug, Serialize, Deserialize)]
pub struct LeadReceived {
    pub lead_id: Uuid,
    pub org_id: Uuid,
    pub source: String,
    /// The same person asked about the same car before.
    pub is_again: bool,
    pub received_at: DateTime<Utc>,
}

impl Event for LeadReceived {
    const NAME: &'static str = "crm.lead_received";
}

/// A lead went from one stage to another, or back.
#[derive(Debug, Serialize, Deserialize)]
pub struct LeadMoved {
    pub lead_id: Uuid,
    pub org_id: Uuid,
    pub from: String,
    pub to: String,
}

impl Event for LeadMoved {
    const NAME: &'static str = "crm.lead_moved";
}
