use async_graphql::{Context, Subscription};
use futures_util::{Stream, StreamExt as _};
use keroxio_core::{Access, GqlError, RequestContext as _, access, follow};
use uuid::Uuid;

use crate::graphql::Job;

#[derive(Default)]
pub struct JobsSubscription;

#[Subscription]
impl JobsSubscription {
    /// A job of your organization as it changes, until it has ended. A client that comes back gives the last
    /// `eventId` it has seen: it misses nothing that still matters and sees nothing twice. A slow client may
    /// miss states in between, never the last.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn job_updated(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The job.")] id: Uuid,
        #[graphql(desc = "Last `eventId` already seen; 0 for none.", default = 0)] after: i32,
    ) -> Result<impl Stream<Item = Job> + use<>, GqlError> {
        let states = Box::pin(follow::follow(ctx.app().clone(), ctx.actor()?.org_id, id, after)).await?;
        Ok(states.map(Job::from))
    }
}
