use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{Context, Enum, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::{Access, GqlResult, Page, RequestContext as _, access, connection};
use uuid::Uuid;

use crate::kind::LetterKind;
use crate::letter::Locale;
use crate::model::Message;
use crate::preview::{self, Preview};
use crate::service;
use crate::settings::Settings;
use crate::suppression::Suppression;
use crate::unsubscribe::Key;

/// What became of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum EmailState {
    /// It waits for its turn.
    Queued,
    /// The provider has it.
    Sent,
    /// The provider refused it for good.
    Failed,
    /// Its address gets no letters, so it was not sent.
    Suppressed,
    /// The server of its address has it.
    Delivered,
    /// The server of its address refused it.
    Bounced,
    /// Its reader called it spam.
    Complained,
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
    /// Why it was refused or not sent.
    error: Option<String>,
    /// When it was written.
    created_at: DateTime<Utc>,
    /// When the provider took it.
    sent_at: Option<DateTime<Utc>>,
    /// When it was delivered, refused or complained of.
    outcome_at: Option<DateTime<Utc>>,
}

impl From<Message> for EmailMessage {
    fn from(row: Message) -> Self {
        let state = match row.state.as_str() {
            "sent" => EmailState::Sent,
            "failed" => EmailState::Failed,
            "kept" => EmailState::Kept,
            "suppressed" => EmailState::Suppressed,
            "delivered" => EmailState::Delivered,
            "bounced" => EmailState::Bounced,
            "complained" => EmailState::Complained,
            _ => EmailState::Queued,
        };
        Self {
            id: row.id,
            recipient: row.recipient,
            kind: row.kind,
            subject: row.subject,
            text: if state == EmailState::Kept { row.plain } else { row.plain.map(|text| without_keys(&text)) },
            state,
            error: row.error,
            created_at: row.created_at,
            sent_at: row.sent_at,
            outcome_at: row.outcome_at,
        }
    }
}

/// A text without what opens an account: that is for its reader alone. An installation that sends no letters shows them,
/// or nobody could follow their links.
fn without_keys(text: &str) -> String {
    const KEY: &str = "#token=";
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(KEY) {
        let (before, key) = rest.split_at(at + KEY.len());
        shown.push_str(before);
        shown.push('…');
        rest = key.trim_start_matches(|c: char| !c.is_whitespace());
    }
    shown + rest
}

/// Why an address gets no letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum EmailSuppressionReason {
    /// Its server refuses it for good: nothing is sent to it.
    Bounced,
    /// Its reader called a letter spam: nothing is sent to it but what an account depends on.
    Complained,
}

/// An address that letters are not sent to.
#[derive(SimpleObject)]
pub struct EmailSuppression {
    /// Identifier.
    id: Uuid,
    /// The address, as far as is needed to recognize it.
    address_hint: String,
    /// Why.
    reason: EmailSuppressionReason,
    /// What its server said.
    detail: Option<String>,
    /// Since when.
    since: DateTime<Utc>,
}

impl From<Suppression> for EmailSuppression {
    fn from(row: Suppression) -> Self {
        let is_complaint = row.reason == "complained";
        Self {
            id: row.id,
            address_hint: row.address_hint,
            reason: if is_complaint { EmailSuppressionReason::Complained } else { EmailSuppressionReason::Bounced },
            detail: row.detail,
            since: row.happened_at,
        }
    }
}

/// A kind of letter.
#[derive(SimpleObject)]
pub struct EmailTemplate {
    /// Which.
    kind: LetterKind,
    /// Whether its reader cannot refuse it: it belongs to the account, a contract or a conversation.
    essential: bool,
    /// Whether it is sent even to somebody who called another letter spam.
    security: bool,
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
    /// Addresses that letters are not sent to, the newest first.
    #[graphql(
        guard = "Access::Staff",
        directive = access::apply(Access::Staff),
        complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity"
    )]
    async fn email_suppressions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the last row already seen.")] after: Option<String>,
    ) -> GqlResult<Connection<String, EmailSuppression, EmptyFields, EmptyFields>> {
        let page = Page::new(first, after.as_deref())?;
        let rows = Box::pin(service::suppressions(ctx.app(), page)).await?;
        Ok(connection(page, rows.into_iter().map(|row| (row.id, row.into())).collect()))
    }

    /// All kinds of letters there are.
    #[graphql(guard = "Access::Staff", directive = access::apply(Access::Staff))]
    async fn email_templates(&self) -> Vec<EmailTemplate> {
        let template =
            |kind: LetterKind| EmailTemplate { kind, essential: !kind.is_optional(), security: kind.is_for_security() };
        LetterKind::ALL.into_iter().map(template).collect()
    }

    /// A letter with made-up content, as its reader would see it.
    #[graphql(guard = "Access::Staff", directive = access::apply(Access::Staff))]
    async fn email_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which letter.")] kind: LetterKind,
        #[graphql(desc = "In which language; French by default.")] locale: Option<Locale>,
    ) -> GqlResult<Preview> {
        let (settings, key) = (ctx.app().get::<Settings>()?, ctx.app().get::<Key>()?);
        Ok(preview::of(&settings, &key, kind, locale.unwrap_or_default())?)
    }
}

#[cfg(test)]
mod tests {
    use super::without_keys;

    #[test]
    fn staff_see_letters_without_what_opens_an_account() {
        let letter =
            "Ouvrez https://example.org/reset-password#token=abc.DEF-123\nou https://example.org/x#token=q puis";
        let shown = "Ouvrez https://example.org/reset-password#token=…\nou https://example.org/x#token=… puis";
        assert_eq!(without_keys(letter), shown);
        assert_eq!(without_keys("rien ici"), "rien ici");
    }
}
