use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::{Access, GqlResult, RequestContext as _, access};
use uuid::Uuid;

use crate::feed::{self, Feed, FeedFormat};
use crate::page::Site;

/// Your stock as a file that a multi-publisher fetches.
#[derive(SimpleObject)]
pub struct StockFeed {
    /// Identifier.
    id: Uuid,
    /// What it is written as.
    format: FeedFormat,
    /// Its address. Whoever knows it may fetch the feed: give it to your multi-publisher only.
    url: String,
    /// Cars in the file that is served: ads that are ready, unsold and lawful, with a photo.
    cars: i32,
    /// When that file was written; null before the first.
    built_at: Option<DateTime<Utc>>,
    /// Cars of a later file that is held back, because they are suddenly few: none, or less than half.
    held_back_cars: Option<i32>,
    /// Since when.
    held_back_at: Option<DateTime<Utc>>,
}

impl StockFeed {
    fn of(feed: Feed, site: &Site) -> Self {
        let format = FeedFormat::stored(&feed.format);
        Self {
            id: feed.id,
            format,
            url: site.address(&format!("/feeds/{}.{}", feed.key, format.as_str())),
            cars: feed.cars,
            built_at: feed.built_at,
            held_back_cars: feed.refused_cars,
            held_back_at: feed.refused_at,
        }
    }
}

#[derive(Default)]
pub struct FeedQuery;

#[Object]
impl FeedQuery {
    /// Feeds of your organization.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn stock_feeds(&self, ctx: &Context<'_>) -> GqlResult<Vec<StockFeed>> {
        let site = ctx.app().get::<Site>()?;
        let feeds = Box::pin(feed::list(ctx.app(), &ctx.actor()?)).await?;
        Ok(feeds.into_iter().map(|feed| StockFeed::of(feed, &site)).collect())
    }
}

#[derive(Default)]
pub struct FeedMutation;

#[Object]
impl FeedMutation {
    /// Opens a feed of your stock, or finds the one of this format. It is written anew every hour.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn create_stock_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is written as.")] format: FeedFormat,
    ) -> GqlResult<StockFeed> {
        let site = ctx.app().get::<Site>()?;
        Ok(StockFeed::of(Box::pin(feed::create(ctx.app(), &ctx.actor()?, format)).await?, &site))
    }

    /// Writes a feed anew at once. `FEED_SHRUNK` when it would hold no car or less than half of those before; the last
    /// good file is served until you accept that, or the cars are back.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn build_stock_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The feed.")] id: Uuid,
        #[graphql(desc = "Whether suddenly few cars are intended.", default)] accept_fewer: bool,
    ) -> GqlResult<StockFeed> {
        let site = ctx.app().get::<Site>()?;
        Ok(StockFeed::of(Box::pin(feed::build_now(ctx.app(), &ctx.actor()?, id, accept_fewer)).await?, &site))
    }

    /// Closes a feed; its address answers nothing from then on. Answers its identifier.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn close_stock_feed(&self, ctx: &Context<'_>, #[graphql(desc = "The feed.")] id: Uuid) -> GqlResult<Uuid> {
        Box::pin(feed::close(ctx.app(), &ctx.actor()?, id)).await?;
        Ok(id)
    }
}
