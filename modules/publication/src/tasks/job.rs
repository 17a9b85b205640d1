use keroxio_core::{App, BackgroundJob, Effects, JobError, Priority};
use keroxio_listing::events::{ListingPrepared, ListingSold, ListingTakenBack};
use keroxio_vehicle::events::{VehicleChanged, VehicleMoved};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::review;

/// Listings looked at in one job.
const PAGE: i64 = 200;

/// Looks at the deadlines of one listing.
#[derive(Serialize, Deserialize)]
pub struct ReviewListing {
    listing_id: Uuid,
    org_id: Uuid,
}

impl From<ListingSold> for ReviewListing {
    fn from(event: ListingSold) -> Self {
        Self { listing_id: event.listing_id, org_id: event.org_id }
    }
}

impl From<ListingTakenBack> for ReviewListing {
    fn from(event: ListingTakenBack) -> Self {
        Self { listing_id: event.listing_id, org_id: event.org_id }
    }
}

impl From<ListingPrepared> for ReviewListing {
    fn from(event: ListingPrepared) -> Self {
        Self { listing_id: event.listing_id, org_id: event.org_id }
    }
}

impl BackgroundJob for ReviewListing {
    const NAME: &'static str = "publication.review_listing";

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    /// It looks at everything anew.
    fn unique_key(&self) -> Option<String> {
        Some(self.listing_id.to_string())
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut tx = app.begin().await?;
        review(&mut tx, self.listing_id).await?;
        Ok(tx.into())
    }
}

/// Looks at the deadlines of every listing of a car.
#[derive(Serialize, Deserialize)]
pub struct ReviewCar {
    vehicle_id: Uuid,
    org_id: Uuid,
}

impl From<VehicleChanged> for ReviewCar {
    fn from(event: VehicleChanged) -> Self {
        Self { vehicle_id: event.vehicle_id, org_id: event.org_id }
    }
}

impl From<VehicleMoved> for ReviewCar {
    fn from(event: VehicleMoved) -> Self {
        Self { vehicle_id: event.vehicle_id, org_id: event.org_id }
    }
}

impl BackgroundJob for ReviewCar {
    const NAME: &'static str = "publication.review_car";

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    fn unique_key(&self) -> Option<String> {
        Some(self.vehicle_id.to_string())
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let listings = keroxio_listing::service::of_vehicle(&app, self.org_id, self.vehicle_id).await?;
        let mut tx = app.begin().await?;
        for listing in listings {
            review(&mut tx, listing).await?;
        }
        Ok(tx.into())
    }
}

/// Every morning: all listings that are not sold, or were within the time to declare it, a page at a time.
#[derive(Serialize, Deserialize)]
pub struct ReviewAll {
    /// The last listing looked at.
    pub after: Option<Uuid>,
}

impl BackgroundJob for ReviewAll {
    const NAME: &'static str = "publication.review_all";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let page = keroxio_listing::service::current(&app, self.after, PAGE).await?;
        let mut tx = app.begin().await?;
        if let Some((last, _)) = page.last().filter(|_| page.len() as i64 == PAGE) {
            tx.enqueue(&Self { after: Some(*last) }).await?;
        }
        let jobs: Vec<_> = page.into_iter().map(|(listing_id, org_id)| ReviewListing { listing_id, org_id }).collect();
        tx.enqueue_all(&jobs).await?;
        Ok(tx.into())
    }
}
