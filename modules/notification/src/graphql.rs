use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::{Access, GqlResult, Page, RequestContext as _, access, connection};
use uuid::Uuid;

use crate::model::Item;
use crate::service;

/// Something the members of an organization were told.
#[derive(SimpleObject)]
pub struct Notification {
    /// Identifier.
    id: Uuid,
    /// Stable kind, for instance `listing_ready`.
    kind: String,
    /// One sentence in French.
    title: String,
    /// The same sentence in English.
    title_en: String,
    /// Identifier of what it is about.
    subject_id: Option<Uuid>,
    /// When it happened.
    created_at: DateTime<Utc>,
    /// When you read it; null while unread.
    read_at: Option<DateTime<Utc>>,
}

impl From<Item> for Notification {
    fn from(item: Item) -> Self {
        Self {
            id: item.id,
            kind: item.kind,
            title: item.title_fr,
            title_en: item.title_en,
            subject_id: item.subject_id,
            created_at: item.created_at,
            read_at: item.read_at,
        }
    }
}

#[derive(Default)]
pub struct NotificationQuery;

#[Object]
impl NotificationQuery {
    /// Notifications of your organization that you want to see (`notificationSettings`), newest first. They are kept for 180
    /// days.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read), complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity")]
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the last row already seen.")] after: Option<String>,
    ) -> GqlResult<Connection<String, Notification, EmptyFields, EmptyFields>> {
        let page = Page::new(first, after.as_deref())?;
        let items = Box::pin(service::list(ctx.app(), &ctx.actor()?, page)).await?;
        Ok(connection(page, items.into_iter().map(|i| (i.id, i.into())).collect()))
    }

    /// How many notifications of your organization you have not read.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn unread_notifications(&self, ctx: &Context<'_>) -> GqlResult<i64> {
        Ok(Box::pin(service::unread(ctx.app(), &ctx.actor()?)).await?)
    }
}

#[derive(Default)]
pub struct NotificationMutation;

#[Object]
impl NotificationMutation {
    /// Marks notifications as read and answers how many are left unread.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn mark_notifications_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Identifiers, 100 at most; unknown ones are ignored.", validator(max_items = 100))] ids: Vec<
            Uuid,
        >,
    ) -> GqlResult<i64> {
        Ok(Box::pin(service::mark_read(ctx.app(), &ctx.actor()?, &ids)).await?)
    }

    /// Marks all notifications as read by you and answers how many are left unread.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn mark_all_notifications_read(&self, ctx: &Context<'_>) -> GqlResult<i64> {
        Ok(Box::pin(service::mark_all_read(ctx.app(), &ctx.actor()?)).await?)
    }
}
