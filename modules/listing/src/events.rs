use chrono::{DateTime, Utc};
use keroxio_core::Event;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Photos, price and text of a listing are settled: the publication pack can be made.
#[derive(Debug, Serialize, Deserialize)]
pub struct ListingPrepared {
    pub listing_id: Uuid,
    pub org_id: Uuid,
    /// Of everything the pack is made from.
    pub fingerprint: String,
}

impl Event for ListingPrepared {
    const NAME: &'static str = "listing.prepared";
}

/// The car of a listing is sold.
#[derive(Debug, Serialize, Deserialize)]
pub struct ListingSold {
    pub listing_id: Uuid,
    pub org_id: Uuid,
    /// Of the ad, for people.
    pub title: String,
    pub sold_at: DateTime<Utc>,
}

impl Event for ListingSold {
    const NAME: &'static str = "listing.sold";
}

/// A sale fell through.
#[derive(Debug, Serialize, Deserialize)]
pub struct ListingTakenBack {
    pub listing_id: Uuid,
    pub org_id: Uuid,
}

impl Event for ListingTakenBack {
    const NAME: &'static str = "listing.taken_back";
}
