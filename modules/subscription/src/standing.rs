//! What an organization's plan is, by its row and the clock.

use async_graphql::Enum;
use chrono::{DateTime, Utc};

use crate::model::Account;
use crate::plans::{Catalogue, Plan, PlanCode, Unit};
use crate::settings::Settings;

/// Why an organization has its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum PlanStatus {
    /// The first weeks, without a card.
    Trial,
    /// It pays for nothing.
    Free,
    /// This installation gives the plan to everybody.
    Included,
    /// It is paid for.
    Active,
    /// It is paid for until the end of the period, and was cancelled.
    Ending,
    /// A payment failed; the plan stays until the grace period ends.
    Grace,
}

/// What `billing` says is paid for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    pub plan: PlanCode,
    pub period_start: DateTime<Utc>,
    pub period_end: DateTime<Utc>,
    /// Until when the plan stays although a payment failed.
    pub grace_ends_at: Option<DateTime<Utc>>,
    /// When it ends, once it was cancelled.
    pub ends_at: Option<DateTime<Utc>>,
}

/// What an organization may do now.
#[derive(Debug, Clone)]
pub struct Standing {
    pub plan: &'static Plan,
    pub status: PlanStatus,
    pub trial_ends_at: DateTime<Utc>,
    pub paid: Option<Paid>,
}

impl Standing {
    pub(crate) fn of(account: &Account, settings: Settings, now: DateTime<Utc>) -> Self {
        let catalogue = Catalogue::at(now);
        let paid = account.paid();
        let counts = paid.as_ref().filter(|paid| paid.grace_ends_at.is_none_or(|end| now < end));
        let (code, status) = match (counts, settings.default_plan) {
            (Some(paid), _) if paid.grace_ends_at.is_some() => (paid.plan, PlanStatus::Grace),
            (Some(paid), _) if paid.ends_at.is_some() => (paid.plan, PlanStatus::Ending),
            (Some(paid), _) => (paid.plan, PlanStatus::Active),
            (None, Some(plan)) => (plan, PlanStatus::Included),
            (None, None) if now < account.trial_ends_at => (catalogue.trial_plan, PlanStatus::Trial),
            (None, None) => (PlanCode::Free, PlanStatus::Free),
        };
        Self { plan: catalogue.plan(code), status, trial_ends_at: account.trial_ends_at, paid }
    }

    pub fn limit(&self, unit: Unit) -> Option<i32> {
        self.plan.limit(unit)
    }
}
