use keroxio_core::{App, BackgroundJob, Effects, GivenUp, JobError};
use keroxio_listing::events::ListingPrepared;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::service;

/// Writes the publication packs of a listing.
#[derive(Serialize, Deserialize)]
pub struct BuildPacks {
    pub listing_id: Uuid,
    pub org_id: Uuid,
    pub fingerprint: String,
}

impl From<ListingPrepared> for BuildPacks {
    fn from(event: ListingPrepared) -> Self {
        Self { listing_id: event.listing_id, org_id: event.org_id, fingerprint: event.fingerprint }
    }
}

impl BackgroundJob for BuildPacks {
    const NAME: &'static str = "publication.build_packs";

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        Ok(service::build(&app, &self).await?)
    }

    async fn gave_up(self, app: App, _why: GivenUp) -> keroxio_core::Result<Effects> {
        service::give_up(&app, &self).await
    }
}
