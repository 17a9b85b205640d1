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
