use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{Context, Enum, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::{Access, GqlResult, Page, RequestContext as _, access, connection};
use uuid::Uuid;

use crate::model::Message;
use crate::service;

/// What became of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum EmailState {
    /// It waits for its turn.
    Queued,
    /// The provider has it.
    Sent,
    /// The provider refused it for good.
    Failed,
    /// No provider is set up: it stays here.
    Kept,
}

/// A letter of the platform to somebody.
#[derive(SimpleObject)]
pub struct EmailMessage {
    /// Identifier.
    id: Uuid,
    /// Who it is for.
    recipient: String,
    /// Stable kind, for instance `verify_email`.
    kind: String,
    /// Its subject.
    subject: String,
    /// Its text, while it has not been handed over.
    text: Option<String>,
    /// What became of it.
    state: EmailState,
    /// Why the provider refused it.
    error: Option<String>,
    /// When it was written.
    created_at: DateTime<Utc>,
    /// When the provider took it.
    sent_at: Option<DateTime<Utc>>,
}

impl From<Message> for EmailMessage {
    fn from(row: Message) -> Self {
        let state = match row.state.as_str() {
            "sent" => EmailState::Sent,
            "failed" => EmailState::Failed,
            "kept" => EmailState::Kept,
            _ => EmailState::Queued,
        };
        Self {
            id: row.id,
            recipient: row.recipient,
            kind: row.kind,
            subject: row.subject,
            text: row.plain,
            state,
            error: row.error,
            created_at: row.created_at,
            sent_at: row.sent_at,
        }
    }
}

#[derive(Default)]
pub struct EmailQuery;

#[Object]
impl EmailQuery {
    /// Letters of the platform, newest first.
    #[graphql(
        guard = "Access::Staff",
        directive = access::apply(Access::Staff),
        complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity"
    )]
    async fn mailbox(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the last row already seen.")] after: Option<String>,
    ) -> GqlResult<Connection<String, EmailMessage, EmptyFields, EmptyFields>> {
        let page = Page::new(first, after.as_deref())?;
        let messages = Box::pin(service::list(ctx.app(), page)).await?;
        Ok(connection(page, messages.into_iter().map(|message| (message.id, message.into())).collect()))
    }
}
