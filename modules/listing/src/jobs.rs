use keroxio_core::{App, BackgroundJob, JobError};
use keroxio_images::events::PhotoCleaned;
use keroxio_plates::events::PlateRead;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{advance, service};

/// Moves every step of a listing that can move.
#[derive(Serialize, Deserialize)]
pub struct AdvanceListing {
    pub listing_id: Uuid,
}

impl BackgroundJob for AdvanceListing {
    const NAME: &'static str = "listing.advance";

    async fn run(self, app: App) -> Result<(), JobError> {
        Ok(advance::advance(&app, self.listing_id).await?)
    }
}

/// A reading or a cleaning of this photo ended: the listings that show it may move on.
#[derive(Serialize, Deserialize)]
pub struct PhotoChanged {
    photo_id: Uuid,
    org_id: Uuid,
}

impl From<PlateRead> for PhotoChanged {
    fn from(event: PlateRead) -> Self {
        Self { photo_id: event.photo_id, org_id: event.org_id }
    }
}

impl From<PhotoCleaned> for PhotoChanged {
    fn from(event: PhotoCleaned) -> Self {
        Self { photo_id: event.photo_id, org_id: event.org_id }
    }
}

impl BackgroundJob for PhotoChanged {
    const NAME: &'static str = "listing.notice_photo";

    async fn run(self, app: App) -> Result<(), JobError> {
        for listing in service::with_photo(&app, self.org_id, self.photo_id).await? {
            advance::advance(&app, listing).await?;
        }
        Ok(())
    }
}

/// Estimates the price for the facts that had this fingerprint.
#[derive(Serialize, Deserialize)]
pub struct PriceListing {
    pub listing_id: Uuid,
    pub fingerprint: String,
}

impl BackgroundJob for PriceListing {
    const NAME: &'static str = "listing.estimate_price";

    async fn run(self, app: App) -> Result<(), JobError> {
        Ok(advance::price(&app, self.listing_id, &self.fingerprint).await?)
    }

    async fn gave_up(self, app: App, _reason: String) -> keroxio_core::Result<()> {
        advance::price_failed(&app, self.listing_id, &self.fingerprint).await
    }
}
