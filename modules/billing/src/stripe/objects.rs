//! The fields we read of Stripe's objects.

use chrono::{DateTime, Utc};
use miniserde::Deserialize;

/// A moment as Stripe writes it.
pub fn moment(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default()
}

#[derive(Debug, Clone, Deserialize)]
pub struct List<T> {
    pub data: Vec<T>,
    pub has_more: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Customer {
    pub id: String,
    /// True and alone where it was deleted.
    pub deleted: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Subscription {
    pub id: String,
    pub status: String,
    pub created: i64,
    pub cancel_at: Option<i64>,
    pub cancel_at_period_end: bool,
    pub ended_at: Option<i64>,
    pub trial_end: Option<i64>,
    pub items: List<Item>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Item {
    pub id: String,
    pub price: Price,
    pub current_period_start: i64,
    pub current_period_end: i64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Price {
    pub id: String,
    pub lookup_key: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Invoice {
    pub id: String,
    pub number: Option<String>,
    pub status: Option<String>,
    pub currency: String,
    pub subtotal: i64,
    pub total: i64,
    pub amount_paid: i64,
    pub amount_remaining: i64,
    pub attempt_count: i64,
    pub created: i64,
    pub next_payment_attempt: Option<i64>,
    pub hosted_invoice_url: Option<String>,
    pub invoice_pdf: Option<String>,
    pub status_transitions: Transitions,
    pub parent: Option<Parent>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Transitions {
    pub finalized_at: Option<i64>,
    pub paid_at: Option<i64>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Parent {
    pub subscription_details: Option<SubscriptionDetails>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct SubscriptionDetails {
    pub subscription: Option<String>,
}

impl Invoice {
    pub fn subscription(&self) -> Option<String> {
        self.parent.clone()?.subscription_details?.subscription
    }
}

/// A checkout or a visit of the portal.
#[derive(Debug, Clone, Deserialize)]
pub struct Session {
    pub id: String,
    pub url: Option<String>,
}

/// A payment that was refunded, or is disputed.
#[derive(Debug, Clone, Deserialize)]
pub struct Charge {
    pub id: String,
    pub customer: Option<String>,
    pub amount_refunded: i64,
    pub currency: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Dispute {
    pub id: String,
    pub charge: String,
    pub amount: i64,
    pub currency: String,
    pub reason: String,
}
