use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::{Access, GqlResult, Page, RequestContext as _, Secret, access, connection};
use uuid::Uuid;

use crate::kinds::WebhookEvent;
use crate::model::{Delivery, Endpoint, Event};
use crate::service::{self, Wanted};

/// Where your organization is told of what happens.
#[derive(SimpleObject)]
pub struct Webhook {
    /// Identifier.
    id: Uuid,
    /// The address that is called.
    url: String,
    /// What you noted of it.
    description: Option<String>,
    /// What it is told of.
    events: Vec<WebhookEvent>,
    /// The query whose answer is the `data` of what is sent; null: the ids alone.
    selection: Option<String>,
    /// Failed attempts in a row; after twenty it stops.
    failures: i32,
    /// When it stopped; null while it works.
    stopped_at: Option<DateTime<Utc>>,
    /// When it was made.
    created_at: DateTime<Utc>,
}

impl From<Endpoint> for Webhook {
    fn from(row: Endpoint) -> Self {
        Self {
            id: row.id,
            url: row.url,
            description: row.description,
            events: row.events.iter().filter_map(|name| WebhookEvent::named(name)).collect(),
            selection: row.selection,
            failures: row.failures,
            stopped_at: row.stopped_at,
            created_at: row.created_at,
        }
    }
}

/// A webhook and its secret.
#[derive(SimpleObject)]
pub struct WebhookWithSecret {
    /// The secret that signs (`whsec_…`); it is shown this once.
    secret: String,
    /// The webhook.
    webhook: Webhook,
}

impl From<(Endpoint, Secret)> for WebhookWithSecret {
    fn from((row, secret): (Endpoint, Secret)) -> Self {
        Self { secret: secret.expose().to_owned(), webhook: row.into() }
    }
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum WebhookDeliveryState {
    /// It is being tried.
    Pending,
    /// The receiver took it.
    Delivered,
    /// The receiver refused it, or nothing came of the last attempt.
    Failed,
}

/// An event on its way to a webhook.
#[derive(SimpleObject)]
pub struct WebhookDelivery {
    /// Identifier, header `webhook-delivery`.
    id: Uuid,
    /// Identifier of the event, header `webhook-id`: the same whenever it is sent again.
    event_id: Uuid,
    /// Name of the event, for instance `listing.prepared`.
    event: String,
    /// What it happened to.
    subject_id: Uuid,
    /// What became of it.
    state: WebhookDeliveryState,
    /// Attempts made.
    attempts: i32,
    /// HTTP status of the last answer.
    status: Option<i32>,
    /// Why the last attempt failed.
    error: Option<String>,
    /// When it was begun.
    created_at: DateTime<Utc>,
    /// When it was tried last.
    tried_at: Option<DateTime<Utc>>,
    /// When it is tried next.
    next_at: Option<DateTime<Utc>>,
}

impl From<(Delivery, Event)> for WebhookDelivery {
    fn from((row, event): (Delivery, Event)) -> Self {
        let state = match row.state.as_str() {
            "delivered" => WebhookDeliveryState::Delivered,
            "failed" => WebhookDeliveryState::Failed,
            _ => WebhookDeliveryState::Pending,
        };
        Self {
            id: row.id,
            event_id: row.event_id,
            event: event.name,
            subject_id: event.subject_id,
            state,
            attempts: row.attempt,
            status: row.status,
            error: row.error,
            created_at: row.created_at,
            tried_at: row.tried_at,
            next_at: row.next_at,
        }
    }
}

/// What a webhook is made of. Of one there is, what is absent stays as it is, and an empty text takes away.
#[derive(InputObject)]
pub struct WebhookInput {
    /// A public https:// address; needed for a new one.
    url: Option<String>,
    /// What it is told of; needed for a new one.
    events: Option<Vec<WebhookEvent>>,
    /// A GraphQL query whose only variable is `$id: UUID!`, for instance
    /// `query($id: UUID!) { listing(id: $id) { title price { amount } } }`; it is asked when the event is sent.
    selection: Option<String>,
    /// A note, 200 characters at most.
    description: Option<String>,
}

impl From<WebhookInput> for Wanted {
    fn from(input: WebhookInput) -> Self {
        Self { url: input.url, events: input.events, selection: input.selection, description: input.description }
    }
}

#[derive(Default)]
pub struct WebhookQuery;

#[Object]
impl WebhookQuery {
    /// Webhooks of your organization, the newest first.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings), complexity = "10 * child_complexity")]
    async fn webhooks(&self, ctx: &Context<'_>) -> GqlResult<Vec<Webhook>> {
        let rows = Box::pin(service::list(ctx.app(), &ctx.actor()?)).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// What was sent to a webhook in the last thirty days, the newest first.
    #[graphql(
        guard = "Access::Settings",
        directive = access::apply(Access::Settings),
        complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity"
    )]
    async fn webhook_deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Identifier of the webhook.")] webhook_id: Uuid,
        #[graphql(desc = "Page size, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the last row already seen.")] after: Option<String>,
    ) -> GqlResult<Connection<String, WebhookDelivery, EmptyFields, EmptyFields>> {
        let page = Page::new(first, after.as_deref())?;
        let rows = Box::pin(service::deliveries(ctx.app(), &ctx.actor()?, webhook_id, page)).await?;
        Ok(connection(page, rows.into_iter().map(|row| (row.0.id, row.into())).collect()))
    }
}

#[derive(Default)]
pub struct WebhookMutation;

#[Object]
impl WebhookMutation {
    /// Makes a webhook. `EMAIL_NOT_VERIFIED` until your address is confirmed, `DESTINATION_REFUSED` for an address that is not public, `SELECTION_INVALID` for a query that
    /// cannot be asked.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings))]
    async fn create_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new webhook.")] input: WebhookInput,
    ) -> GqlResult<WebhookWithSecret> {
        Ok(Box::pin(service::create(ctx.app(), &ctx.actor()?, input.into())).await?.into())
    }

    /// Changes a webhook.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings))]
    async fn update_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Identifier of the webhook.")] id: Uuid,
        #[graphql(desc = "What changes.")] input: WebhookInput,
    ) -> GqlResult<Webhook> {
        Ok(Box::pin(service::update(ctx.app(), &ctx.actor()?, id, input.into())).await?.into())
    }

    /// Takes a webhook away, with the log of its deliveries.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings))]
    async fn remove_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Identifier of the webhook.")] id: Uuid,
    ) -> GqlResult<bool> {
        Box::pin(service::remove(ctx.app(), &ctx.actor()?, id)).await?;
        Ok(true)
    }

    /// Starts a webhook that has stopped. What it missed is sent again by `replayWebhookEvents`.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings))]
    async fn start_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Identifier of the webhook.")] id: Uuid,
    ) -> GqlResult<Webhook> {
        Ok(Box::pin(service::start(ctx.app(), &ctx.actor()?, id)).await?.into())
    }

    /// Makes a new secret for a webhook; the old one signs beside it for 24 hours.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings))]
    async fn rotate_webhook_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Identifier of the webhook.")] id: Uuid,
    ) -> GqlResult<WebhookWithSecret> {
        Ok(Box::pin(service::rotate(ctx.app(), &ctx.actor()?, id)).await?.into())
    }

    /// Sends an event of type `webhook.test`, to try a webhook out; answers the event's identifier.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings))]
    async fn send_test_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Identifier of the webhook.")] webhook_id: Uuid,
    ) -> GqlResult<Uuid> {
        Ok(Box::pin(service::test(ctx.app(), &ctx.actor()?, webhook_id)).await?)
    }

    /// Sends events of the last thirty days again: one, or those of a time that the webhook asks for, a thousand at most,
    /// the oldest first. Answers how many. They keep their `webhook-id`. Twenty times an hour.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings))]
    async fn replay_webhook_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Identifier of the webhook.")] webhook_id: Uuid,
        #[graphql(desc = "Identifier of one event.")] event_id: Option<Uuid>,
        #[graphql(desc = "From this moment on.")] from: Option<DateTime<Utc>>,
        #[graphql(desc = "Until before this moment; now by default.")] to: Option<DateTime<Utc>>,
    ) -> GqlResult<usize> {
        Ok(Box::pin(service::replay(ctx.app(), &ctx.actor()?, webhook_id, event_id, (from, to))).await?)
    }
}
