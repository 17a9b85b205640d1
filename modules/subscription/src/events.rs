use keroxio_core::Event;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::plans::{PlanCode, Unit};

/// An organization has used most of what its plan gives of a unit; said once a month.
#[derive(Debug, Serialize, Deserialize)]
pub struct LimitNear {
    pub org_id: Uuid,
    pub unit: Unit,
    pub used: i32,
    pub limit: i32,
    pub plan: PlanCode,
}

impl Event for LimitNear {
    const NAME: &'static str = "subscription.limit_near";
}
