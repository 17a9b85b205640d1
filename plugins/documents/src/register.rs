//! Entries of the police register of used goods (livre de police, registre d'objets mobiliers).
//!
//! Sources: code pénal art. 321-7, R.321-3 to R.321-6 (content), R.321-7 (order, no blank, no erasure); décret 2012-99.
//! Entries are only ever added: a mistake is put right by a [`Event::Correction`]. Kept five years from closing; an
//! erasure request does not reach it, since keeping it is a legal duty.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::invoice::PaymentMeans;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The site whose register this is: one register per site.
    pub site: String,
    /// Chronological number within the site, from 1, without gaps.
    pub number: u64,
    /// When it was written, which must be the day of the event; whole seconds count.
    pub recorded_at: DateTime<Utc>,
    pub event: Event,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A car came in: bought, taken in exchange or on consignment.
    Arrival {
        on: NaiveDate,
        object: Object,
        from: Party,
        /// Cents; none for a consignment.
        price_cents: Option<i64>,
        means: Option<PaymentMeans>,
    },
    /// A car left.
    Departure { on: NaiveDate, arrival: u64, to: Party, price_cents: Option<i64>, means: Option<PaymentMeans> },
    /// What an earlier entry should have said, and why.
    Correction { corrected: u64, reason: String, text: String },
}

/// The car as R.321-3 describes objects: nature, features and whatever identifies it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    pub make: String,
    pub model: String,
    pub version: String,
    pub colour: String,
    pub mileage_km: Option<u32>,
    pub plate: Option<String>,
    /// Type of the registration certificate (D.2) or kind (`VP`).
    pub type_code: Option<String>,
    pub vin: String,
    /// Country of registration, ISO 3166-1 alpha-2.
    pub country: String,
}

/// Who sold or bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Party {
    Person {
        name: String,
        address: String,
        /// Kind of identity document; sellers only.
        document: Option<String>,
        document_number: Option<String>,
        /// Who issued it and when.
        document_issued: Option<String>,
    },
    Company {
        name: String,
        address: String,
        siret: String,
        /// Who came in its name.
        representative: Option<String>,
    },
}
