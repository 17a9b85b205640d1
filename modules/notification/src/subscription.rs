use async_graphql::{Context, Subscription};
use futures_util::{Stream, StreamExt};
use keroxio_core::{Access, GqlError, RequestContext as _, access};
use uuid::Uuid;

use crate::graphql::Notification;
use crate::service;

#[derive(Default)]
pub struct NotificationSubscription;

#[Subscription]
impl NotificationSubscription {
    /// Notifications of your organization as they are created.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn notification_added(
        &self,
        ctx: &Context<'_>,
    ) -> Result<impl Stream<Item = Notification> + use<>, GqlError> {
        let (app, actor) = (ctx.app().clone(), ctx.actor()?);
        let wake_ups = Box::pin(app.live().subscribe(&service::topic(actor.org_id))).await?;
        Ok(wake_ups.filter_map(move |message| {
            let app = app.clone();
            async move {
                let id: Uuid = message.get("id")?.as_str()?.parse().ok()?;
                let item = message.read(&actor, async || service::added(&app, &actor, id).await).await;
                item.map(Notification::from)
            }
        }))
    }
}
