use async_graphql::{Enum, SimpleObject};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::model::Step;

/// By whom something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum AuditActor {
    /// A member who was signed in.
    Member,
    /// A program, by an API key.
    ApiKey,
    /// One of the platform's staff, in the place of a member or about the organization.
    Staff,
}

/// One thing that was done.
#[derive(SimpleObject)]
pub struct AuditStep {
    /// Identifier.
    id: Uuid,
    /// When.
    at: DateTime<Utc>,
    /// By whom.
    actor: AuditActor,
    /// In whose name: the member, or whoever made the API key.
    user_id: Uuid,
    /// The API key, where a program did it.
    api_key_id: Option<Uuid>,
    /// A root field of this schema, for instance `createVehicle`, or `logIn`.
    action: String,
    /// `OK`, or the code of the error.
    outcome: String,
    /// The first identifier among the arguments: mostly what it was done to.
    subject_id: Option<Uuid>,
    /// The network it came from; of IPv6 the first half.
    network: Option<String>,
    /// Why, where staff did it.
    reason: Option<String>,
}

impl From<Step> for AuditStep {
    fn from(step: Step) -> Self {
        let actor = match (step.staff_id, step.api_key_id) {
            (Some(_), _) => AuditActor::Staff,
            (None, Some(_)) => AuditActor::ApiKey,
            (None, None) => AuditActor::Member,
        };
        Self {
            id: step.id,
            at: step.at,
            actor,
            user_id: step.user_id,
            api_key_id: step.api_key_id,
            action: step.action,
            outcome: step.outcome,
            subject_id: step.subject_id,
            network: step.network,
            reason: step.reason,
        }
    }
}
