use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use async_graphql::{Context, Subscription};
use futures_util::{Stream, StreamExt, stream};
use keroxio_core::{Access, Actor, App, GqlError, RequestContext as _, Wake, access};
use uuid::Uuid;

use crate::graphql::ListingProgress;
use crate::model::{Ad, Progress};
use crate::service;
use crate::steps::ListingState;

/// Looked at this often even without a wake-up, should Redis have lost one.
const LOOK_EVERY: Duration = Duration::from_secs(3);

type WakeUps = Pin<Box<dyn Stream<Item = Wake> + Send>>;

struct Follower {
    app: App,
    actor: Actor,
    id: Uuid,
    seq: i32,
    pending: VecDeque<(Ad, Progress)>,
    wake_ups: WakeUps,
    settled: bool,
}

/// Rows in order from the table; the live topic only says when to look again.
pub(crate) fn stream(
    app: App,
    actor: Actor,
    id: Uuid,
    after: i32,
    wake_ups: WakeUps,
) -> impl Stream<Item = (Ad, Progress)> + Send + use<> {
    let follower = Follower { app, actor, id, seq: after, pending: VecDeque::new(), wake_ups, settled: false };
    stream::unfold(follower, |mut follower| async move {
        loop {
            if let Some((ad, row)) = follower.pending.pop_front() {
                follower.seq = row.seq;
                return Some(((ad, row), follower));
            }
            if follower.settled {
                return None;
            }
            let Ok((ad, rows)) =
                Box::pin(service::progress_after(&follower.app, &follower.actor, follower.id, follower.seq)).await
            else {
                return None;
            };
            let last_seen = rows.last().map_or(follower.seq, |row| row.seq);
            follower.settled = ad.state() != ListingState::Preparing && last_seen >= ad.seq;
            follower.pending.extend(rows.into_iter().map(|row| (ad.clone(), row)));
            if follower.pending.is_empty() && !follower.settled {
                // Either a wake-up or the time to look again; both mean the same.
                let _ = tokio::time::timeout(LOOK_EVERY, follower.wake_ups.next()).await;
            }
        }
    })
}

#[derive(Default)]
pub struct ListingSubscription;

#[Subscription]
impl ListingSubscription {
    /// Every step of a listing's preparation in order, until the listing is READY or INCOMPLETE.
    /// After a lost connection, give the last `seq` seen: nothing is missed and nothing comes twice.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn listing_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The listing to follow.")] listing_id: Uuid,
        #[graphql(desc = "Only changes after this `seq`; 0 for all.", default = 0)] after: i32,
    ) -> Result<impl Stream<Item = ListingProgress> + use<>, GqlError> {
        let rows = Box::pin(service::follow(ctx.app().clone(), ctx.actor()?, listing_id, after)).await?;
        Ok(rows.map(|(ad, row)| ListingProgress::new(ad, row)))
    }
}
