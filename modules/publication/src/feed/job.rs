use keroxio_core::{App, BackgroundJob, Effects, JobError, Priority};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::model;

/// Feeds of one look.
const PAGE: i64 = 500;

/// Writes a feed anew.
#[derive(Serialize, Deserialize)]
pub struct BuildFeed {
    pub feed_id: Uuid,
    pub org_id: Uuid,
}

impl BackgroundJob for BuildFeed {
    const NAME: &'static str = "publication.build_feed";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    fn unique_key(&self) -> Option<String> {
        Some(self.feed_id.to_string())
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let feed = model::find(&mut *app.conn().await?, self.org_id, self.feed_id).await?;
        // Closed meanwhile.
        let Some(feed) = feed else { return Ok(Effects::none()) };
        let (tx, _) = super::build(&app, feed, false).await?;
        Ok(tx.into())
    }
}

/// Has every feed written anew, a page at a time.
#[derive(Serialize, Deserialize)]
pub struct BuildFeeds {
    /// The last feed looked at.
    pub after: Option<Uuid>,
}

impl BackgroundJob for BuildFeeds {
    const NAME: &'static str = "publication.build_feeds";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut tx = app.begin().await?;
        let page = model::page(&mut tx, self.after, PAGE).await?;
        if let Some(last) = page.last().filter(|_| page.len() as i64 == PAGE) {
            tx.enqueue(&Self { after: Some(last.id) }).await?;
        }
        let jobs: Vec<_> = page.iter().map(|feed| BuildFeed { feed_id: feed.id, org_id: feed.org_id }).collect();
        tx.enqueue_all(&jobs).await?;
        Ok(tx.into())
    }
}
