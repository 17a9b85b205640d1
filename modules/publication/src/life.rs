//! What becomes of an ad once it is online: renewed in time, and withdrawn everywhere when the car is sold.

use chrono::{DateTime, Duration, Utc};
use keroxio_core::{Actor, App, BackgroundJob, Effects, JobError, Priority, Result, Right, Tx};
use keroxio_listing::events::{ListingSold, ListingTakenBack};
use keroxio_notification::{Notice, NotificationKind};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::channel::{Channel, Channels};
use crate::model::{self, Pack};
use crate::{error, online, page};

/// Days after which a seller is told again that a sold car is still online somewhere.
const STILL_ONLINE_DAYS: i64 = 2;
/// Ads of one look.
const PAGE: i64 = 500;

/// The seller took the ad away.
pub(crate) async fn withdraw(app: &App, actor: &Actor, id: Uuid) -> Result<(Pack, Channel)> {
    actor.may(Right::Publish)?;
    let channels: Channels = app.get()?;
    let mut tx = app.begin().await?;
    let mut pack = model::lock(&mut tx, actor.org_id, id).await?.ok_or_else(error::not_found)?;
    let channel = channels.get(&pack.channel).cloned().ok_or_else(error::not_found)?;
    if pack.state != "published" {
        return Err(error::not_published());
    }
    pack.state = "withdrawn".to_owned();
    (pack.withdrawn_at, pack.updated_at) = (Some(app.now()), app.now());
    model::save(&mut tx, &pack).await?;
    online::hidden(&mut tx, pack.org_id, pack.listing_id).await?;
    tx.count("publication.withdrawn");
    tx.commit().await?;
    Ok((pack, channel))
}

/// A car was sold, or a sale fell through: its packs know it, and the seller what to do about those online.
#[derive(Serialize, Deserialize)]
pub struct FollowSale {
    listing_id: Uuid,
    org_id: Uuid,
    title: String,
    /// None: for sale again.
    sold_at: Option<DateTime<Utc>>,
}

impl From<ListingSold> for FollowSale {
    fn from(event: ListingSold) -> Self {
        Self { listing_id: event.listing_id, org_id: event.org_id, title: event.title, sold_at: Some(event.sold_at) }
    }
}

impl From<ListingTakenBack> for FollowSale {
    fn from(event: ListingTakenBack) -> Self {
        Self { listing_id: event.listing_id, org_id: event.org_id, title: String::new(), sold_at: None }
    }
}

impl BackgroundJob for FollowSale {
    const NAME: &'static str = "publication.follow_sale";

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    /// A sale and its end are followed in their order.
    fn ordering_key(&self) -> Option<String> {
        Some(self.listing_id.to_string())
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let channels: Channels = app.get()?;
        let mut tx = app.begin().await?;
        if let Some(at) = self.sold_at {
            page::gone(&mut tx, self.listing_id, at).await?;
        }
        for mut pack in model::lock_all(&mut tx, self.listing_id).await? {
            (pack.sold_at, pack.reminded_at) = (self.sold_at, self.sold_at);
            model::save(&mut tx, &pack).await?;
            if let Some(channel) =
                channels.get(&pack.channel).filter(|_| self.sold_at.is_some() && pack.state == "published")
            {
                ask_to_withdraw(&mut tx, &pack, channel, &self.title).await?;
            }
        }
        if self.sold_at.is_none() && online::is_online(&mut tx, self.listing_id).await? {
            online::shown(&mut tx, self.org_id, self.listing_id).await?;
        }
        Ok(tx.into())
    }
}

/// A car was withdrawn: its page closes, and the seller is asked to take its ads away.
pub(crate) async fn has_to_go(tx: &mut Tx, listing: Uuid, at: DateTime<Utc>, channels: &Channels) -> Result<()> {
    page::gone(tx, listing, at).await?;
    for mut pack in model::lock_all(tx, listing).await? {
        (pack.sold_at, pack.reminded_at) = (Some(at), Some(at));
        model::save(tx, &pack).await?;
        if let Some(channel) = channels.get(&pack.channel).filter(|_| pack.state == "published") {
            ask_to_withdraw(tx, &pack, channel, &pack.title).await?;
        }
    }
    Ok(())
}

/// A car that was withdrawn is for sale again.
pub(crate) async fn may_stay(tx: &mut Tx, listing: Uuid) -> Result<()> {
    for mut pack in model::lock_all(tx, listing).await? {
        (pack.sold_at, pack.reminded_at) = (None, None);
        model::save(tx, &pack).await?;
    }
    Ok(())
}

async fn ask_to_withdraw(tx: &mut Tx, pack: &Pack, channel: &Channel, title: &str) -> Result<()> {
    let notice = Notice {
        org_id: pack.org_id,
        kind: NotificationKind::PublicationWithdraw,
        title_fr: format!("Voiture vendue ou retirée : retirez l'annonce de {}. {title}", channel.name),
        title_en: format!("Car sold or withdrawn: withdraw the ad from {}. {title}", channel.name),
        subject_id: Some(pack.id),
    };
    keroxio_notification::service::notify(tx, notice).await
}

async fn ask_to_renew(tx: &mut Tx, pack: &Pack, channel: &Channel) -> Result<()> {
    let notice = Notice {
        org_id: pack.org_id,
        kind: NotificationKind::PublicationRenew,
        title_fr: format!("Annonce à renouveler sur {} : {}", channel.name, pack.title),
        title_en: format!("Ad to renew on {}: {}", channel.name, pack.title),
        subject_id: Some(pack.id),
    };
    keroxio_notification::service::notify(tx, notice).await
}

/// Reminds sellers of ads that are to be renewed, and of sold cars that are still online, a page at a time.
#[derive(Serialize, Deserialize)]
pub struct RemindSellers {
    /// The last pack looked at.
    pub after: Option<Uuid>,
}

impl BackgroundJob for RemindSellers {
    const NAME: &'static str = "publication.remind";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let channels: Channels = app.get()?;
        let now = app.now();
        let mut tx = app.begin().await?;
        let page = model::online(&mut tx, self.after, PAGE).await?;
        if let Some(last) = page.last().filter(|_| page.len() as i64 == PAGE) {
            tx.enqueue(&Self { after: Some(last.id) }).await?;
        }
        for mut pack in page {
            let Some(channel) = channels.get(&pack.channel) else { continue };
            if !is_due(&pack, channel, now) {
                continue;
            }
            match pack.sold_at {
                Some(_) => ask_to_withdraw(&mut tx, &pack, channel, &pack.title).await?,
                None => ask_to_renew(&mut tx, &pack, channel).await?,
            }
            pack.reminded_at = Some(now);
            model::save(&mut tx, &pack).await?;
        }
        Ok(tx.into())
    }
}

fn is_due(pack: &Pack, channel: &Channel, now: DateTime<Utc>) -> bool {
    let days = if pack.sold_at.is_some() { STILL_ONLINE_DAYS } else { channel.renew_days };
    let last = pack.reminded_at.or(pack.published_at);
    last.is_some_and(|last| last + Duration::days(days) <= now)
}
