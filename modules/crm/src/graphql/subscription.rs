use async_graphql::{Context, Subscription};
use futures_util::{Stream, StreamExt as _};
use keroxio_core::{Access, GqlError, RequestContext as _, access};
use uuid::Uuid;

use super::types::Lead;
use crate::{intake, service};

#[derive(Default)]
pub struct CrmSubscription;

#[Subscription]
impl CrmSubscription {
    /// Leads of your organization as they come in and change.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn lead_changed(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = Lead> + use<>, GqlError> {
        let (app, actor) = (ctx.app().clone(), ctx.actor()?);
        let wake_ups = Box::pin(app.live().subscribe(&intake::topic(actor.org_id))).await?;
        Ok(wake_ups.filter_map(move |message| {
            let app = app.clone();
            async move {
                let id: Uuid = message.get("id")?.as_str()?.parse().ok()?;
                message.read(&actor, async || service::get(&app, &actor, id).await.map(Some)).await.map(Lead::from)
            }
        }))
    }
}
