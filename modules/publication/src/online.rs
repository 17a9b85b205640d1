//! Whether a car is online somewhere, told to the stock.

use diesel_async::AsyncPgConnection;
use keroxio_core::{App, BackgroundJob, Effects, JobError, Result, Tx};
use keroxio_listing::service as listings;
use keroxio_vehicle::events::VehicleMoved;
use keroxio_vehicle::{StockState, stock};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::channel::Channels;
use crate::{life, model, page};

/// An ad of this listing has just gone online.
pub(crate) async fn shown(tx: &mut Tx, org: Uuid, listing: Uuid) -> Result<()> {
    let vehicle = listings::vehicle_of(tx, org, listing).await?;
    let from = [StockState::Arriving, StockState::Preparing, StockState::Ready];
    stock::follow(tx, org, vehicle, &from, StockState::Published).await
}

/// An ad of this listing has just gone; perhaps it was the last.
pub(crate) async fn hidden(tx: &mut Tx, org: Uuid, listing: Uuid) -> Result<()> {
    let vehicle = listings::vehicle_of(tx, org, listing).await?;
    // Locked before the look: another ad of it may be going, or coming, at this moment.
    stock::hold(tx, org, vehicle).await?;
    if is_online(tx, listing).await? {
        return Ok(());
    }
    stock::follow(tx, org, vehicle, &[StockState::Published], StockState::Ready).await
}

/// Whether an ad of this listing is on a portal or on a page of ours.
pub(crate) async fn is_online(conn: &mut AsyncPgConnection, listing: Uuid) -> Result<bool> {
    Ok(model::is_published(conn, listing).await? || page::is_open(conn, listing).await?)
}

/// A person moved a car: withdrawn, its page closes and the seller is asked to withdraw it from the portals; ready
/// again while it is online, it is published.
#[derive(Serialize, Deserialize)]
pub struct FollowMove(VehicleMoved);

impl From<VehicleMoved> for FollowMove {
    fn from(event: VehicleMoved) -> Self {
        Self(event)
    }
}

impl BackgroundJob for FollowMove {
    const NAME: &'static str = "publication.follow_move";

    fn org_id(&self) -> Option<Uuid> {
        Some(self.0.org_id)
    }

    fn ordering_key(&self) -> Option<String> {
        Some(self.0.vehicle_id.to_string())
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let VehicleMoved { vehicle_id, org_id, from, to } = self.0;
        let channels: Channels = app.get()?;
        let listings = listings::of_vehicle(&app, org_id, vehicle_id).await?;
        let mut tx = app.begin().await?;
        for listing in listings {
            if to == StockState::Ready && is_online(&mut tx, listing).await? {
                shown(&mut tx, org_id, listing).await?;
            }
            match (from, to) {
                (_, StockState::Withdrawn) => life::has_to_go(&mut tx, listing, app.now(), &channels).await?,
                (StockState::Withdrawn, StockState::Preparing) => life::may_stay(&mut tx, listing).await?,
                _ => {}
            }
        }
        Ok(tx.into())
    }
}
