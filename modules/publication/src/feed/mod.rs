//! A stock as a file that multi-publishers fetch. A file with suddenly few cars is held back: a portal would take down
//! whatever is missing from it.

mod car;
mod csv;
mod http;
mod job;
mod model;
mod xml;

pub use car::FeedCar;
pub use http::routes;
pub use job::{BuildFeed, BuildFeeds};
pub use model::Feed;

use async_graphql::Enum;
use keroxio_core::{Actor, App, Error, Result, Right, Tx};
use keroxio_notification::{Notice, NotificationKind};
use uuid::Uuid;

use crate::error;

/// From so many cars on, a feed with less than this share of those before is held back; an empty one is
/// wherever there were cars.
const FEW: i32 = 4;
const LEAST_SHARE: f64 = 0.5;

/// What a feed is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum FeedFormat {
    /// CSV in UTF-8, semicolons between columns, one line per car, addresses of photos joined by `|`.
    Csv,
    /// XML in UTF-8: `<vehicles>` of `<vehicle>`.
    Xml,
}

impl FeedFormat {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xml => "xml",
        }
    }

    pub fn stored(word: &str) -> Self {
        if word == "xml" { Self::Xml } else { Self::Csv }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xml => "application/xml",
        }
    }

    fn write(self, cars: &[FeedCar]) -> Result<Vec<u8>> {
        match self {
            Self::Csv => csv::write(cars),
            Self::Xml => xml::write(cars),
        }
    }
}

/// Opens a feed, or finds the one there is.
pub(crate) async fn create(app: &App, actor: &Actor, format: FeedFormat) -> Result<Feed> {
    actor.may(Right::Publish)?;
    let mut tx = app.begin().await?;
    let feed = model::upsert(&mut tx, actor.org_id, format, app.now()).await?;
    tx.enqueue(&BuildFeed { feed_id: feed.id, org_id: feed.org_id }).await?;
    tx.commit().await?;
    Ok(feed)
}

pub(crate) async fn list(app: &App, actor: &Actor) -> Result<Vec<Feed>> {
    actor.may(Right::Publish)?;
    Ok(model::of_org(&mut *app.conn().await?, actor.org_id).await?)
}

/// Closes a feed: whoever fetches it finds nothing.
pub(crate) async fn close(app: &App, actor: &Actor, id: Uuid) -> Result<()> {
    actor.may(Right::Publish)?;
    let closed = model::delete(&mut *app.conn().await?, actor.org_id, id).await?;
    if closed == 0 { Err(not_found()) } else { Ok(()) }
}

/// Writes a feed anew for the seller who asks for it.
///
/// # Errors
/// `FEED_SHRUNK` where it would have suddenly few cars, unless that is accepted.
pub(crate) async fn build_now(app: &App, actor: &Actor, id: Uuid, accept_fewer: bool) -> Result<Feed> {
    actor.may(Right::Publish)?;
    let feed = model::find(&mut *app.conn().await?, actor.org_id, id).await?.ok_or_else(not_found)?;
    let before = feed.cars;
    let (tx, feed) = build(app, feed, accept_fewer).await?;
    tx.commit().await?;
    match feed.refused_cars {
        Some(now) => Err(error::feed_shrunk(before, now)),
        None => Ok(feed),
    }
}

/// Writes a feed anew; not yet committed. One with suddenly few cars is noted, told once, and the last good one stays.
async fn build(app: &App, feed: Feed, accept_fewer: bool) -> Result<(Tx, Feed)> {
    let begun = app.now();
    let cars = car::of_org(app, feed.org_id).await?;
    let count = i32::try_from(cars.len()).map_err(Error::internal)?;
    let format = FeedFormat::stored(&feed.format);
    let bytes = tokio::task::spawn_blocking(move || format.write(&cars)).await.map_err(Error::internal)??;
    let file = keroxio_storage::service::put(app, feed.org_id, bytes, format.media_type(), None).await?;
    let mut tx = app.begin().await?;
    let mut feed = model::lock(&mut tx, feed.org_id, feed.id).await?.ok_or_else(not_found)?;
    if feed.built_at.is_some_and(|built| built > begun) {
        // Somebody looked later and was done before.
        return Ok((tx, feed));
    }
    if !accept_fewer && is_suspicious(feed.cars, count) {
        let first = feed.refused_at.is_none();
        (feed.refused_cars, feed.refused_at) = (Some(count), feed.refused_at.or(Some(begun)));
        model::save(&mut tx, &feed).await?;
        if first {
            keroxio_notification::service::notify(&mut tx, held_back(&feed, count)).await?;
        }
        return Ok((tx, feed));
    }
    (feed.object_id, feed.cars, feed.built_at) = (Some(file.id), count, Some(begun));
    (feed.refused_cars, feed.refused_at) = (None, None);
    model::save(&mut tx, &feed).await?;
    Ok((tx, feed))
}

fn is_suspicious(before: i32, now: i32) -> bool {
    now == 0 && before > 0 || before >= FEW && f64::from(now) < f64::from(before) * LEAST_SHARE
}

fn held_back(feed: &Feed, now: i32) -> Notice {
    let before = feed.cars;
    Notice {
        org_id: feed.org_id,
        kind: NotificationKind::FeedHeldBack,
        title_fr: format!("Flux retenu : {now} voitures au lieu de {before}. Confirmez si c'est voulu."),
        title_en: format!("Feed held back: {now} cars instead of {before}. Confirm if that is intended."),
        subject_id: Some(feed.id),
    }
}

fn not_found() -> Error {
    Error::not_found("Flux", "Feed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_that_is_empty_or_half_gone_is_suspicious() {
        for (before, now) in [(1, 0), (4, 1), (100, 49), (3, 0)] {
            assert!(is_suspicious(before, now), "{before} {now}");
        }
        for (before, now) in [(0, 0), (0, 5), (3, 1), (4, 2), (100, 50), (100, 200)] {
            assert!(!is_suspicious(before, now), "{before} {now}");
        }
    }
}
