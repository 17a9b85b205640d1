use keroxio_auth::events::OrganizationChanged;
use keroxio_core::{App, BackgroundJob, Effects, GivenUp, JobError, Priority};
use keroxio_images::events::PhotoCleaned;
use keroxio_plates::events::PlateRead;
use keroxio_vehicle::events::{VehicleChanged, VehicleMoved};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{advance, model, service};

/// Moves every step of a listing that can move.
#[derive(Serialize, Deserialize)]
pub struct AdvanceListing {
    pub listing_id: Uuid,
    pub org_id: Uuid,
}

impl BackgroundJob for AdvanceListing {
    const NAME: &'static str = "listing.advance";

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    /// It reads everything anew, so one that waits does the work of all that could follow it.
    fn unique_key(&self) -> Option<String> {
        Some(self.listing_id.to_string())
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
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

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let org_id = self.org_id;
        let listings = service::with_photo(&app, org_id, self.photo_id).await?;
        let jobs: Vec<_> = listings.into_iter().map(|listing_id| AdvanceListing { listing_id, org_id }).collect();
        let mut tx = app.begin().await?;
        tx.enqueue_all(&jobs).await?;
        Ok(tx.into())
    }
}

/// A fact of this car changed: the listings that show it may have to be written or priced anew.
#[derive(Serialize, Deserialize)]
pub struct FollowVehicle {
    vehicle_id: Uuid,
    org_id: Uuid,
}

impl From<VehicleChanged> for FollowVehicle {
    fn from(event: VehicleChanged) -> Self {
        Self { vehicle_id: event.vehicle_id, org_id: event.org_id }
    }
}

impl BackgroundJob for FollowVehicle {
    const NAME: &'static str = "listing.follow_vehicle";

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let org_id = self.org_id;
        let listings = service::of_vehicle(&app, org_id, self.vehicle_id).await?;
        let jobs: Vec<_> = listings.into_iter().map(|listing_id| AdvanceListing { listing_id, org_id }).collect();
        let mut tx = app.begin().await?;
        tx.enqueue_all(&jobs).await?;
        Ok(tx.into())
    }
}

/// Ads looked at in one job.
const PAGE: i64 = 500;

/// An organization has another name or number: its ads say so.
#[derive(Serialize, Deserialize)]
pub struct FollowOrganization {
    org_id: Uuid,
    /// The last listing looked at.
    #[serde(default)]
    after: Option<Uuid>,
}

impl From<OrganizationChanged> for FollowOrganization {
    fn from(event: OrganizationChanged) -> Self {
        Self { org_id: event.org_id, after: None }
    }
}

impl BackgroundJob for FollowOrganization {
    const NAME: &'static str = "listing.follow_organization";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let org_id = self.org_id;
        let mut tx = app.begin().await?;
        let page = model::unsold(&mut tx, org_id, self.after, PAGE).await?;
        if let Some(last) = page.last().filter(|_| page.len() as i64 == PAGE) {
            tx.enqueue(&Self { org_id, after: Some(*last) }).await?;
        }
        let jobs: Vec<_> = page.into_iter().map(|listing_id| AdvanceListing { listing_id, org_id }).collect();
        tx.enqueue_all(&jobs).await?;
        Ok(tx.into())
    }
}

/// A person moved a car through the stock.
#[derive(Serialize, Deserialize)]
pub struct FollowMove(VehicleMoved);

impl From<VehicleMoved> for FollowMove {
    fn from(event: VehicleMoved) -> Self {
        Self(event)
    }
}

impl BackgroundJob for FollowMove {
    const NAME: &'static str = "listing.follow_move";

    fn org_id(&self) -> Option<Uuid> {
        Some(self.0.org_id)
    }

    /// A sale and its end are followed in their order.
    fn ordering_key(&self) -> Option<String> {
        Some(self.0.vehicle_id.to_string())
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        Ok(service::follow_move(&app, &self.0).await?)
    }
}

/// Estimates the price for the facts that had this fingerprint.
#[derive(Serialize, Deserialize)]
pub struct PriceListing {
    pub listing_id: Uuid,
    pub org_id: Uuid,
    pub fingerprint: String,
}

impl BackgroundJob for PriceListing {
    const NAME: &'static str = "listing.estimate_price";

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        Ok(advance::price(&app, self.listing_id, &self.fingerprint).await?)
    }

    async fn gave_up(self, app: App, _why: GivenUp) -> keroxio_core::Result<Effects> {
        advance::price_failed(&app, self.listing_id, &self.fingerprint).await
    }
}
