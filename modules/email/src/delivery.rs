//! What Resend tells of letters after it took them: each once, in whatever order it comes.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keroxio_core::{Result, Tx};
use serde::Deserialize;
use uuid::Uuid;

use crate::model::{self, Message};
use crate::resend::TAG;
use crate::suppression::{self, Reason};
use crate::tables::email_webhook_events::dsl;

/// Characters of what a server says that are kept.
const LONGEST_DETAIL: usize = 500;

/// What we read of an event.
#[derive(Debug, Deserialize)]
pub struct Told {
    #[serde(rename = "type")]
    kind: String,
    created_at: Option<DateTime<Utc>>,
    #[serde(default)]
    data: Data,
}

#[derive(Debug, Default, Deserialize)]
struct Data {
    #[serde(default)]
    email_id: String,
    #[serde(default)]
    to: Vec<String>,
    #[serde(default)]
    tags: Tags,
    #[serde(default)]
    bounce: Said,
    #[serde(default)]
    failed: Said,
}

/// Tags, as they are told and as they were given.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Tags {
    Named(HashMap<String, String>),
    Listed(Vec<Tag>),
}

impl Default for Tags {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

#[derive(Debug, Deserialize)]
struct Tag {
    name: String,
    value: String,
}

#[derive(Debug, Default, Deserialize)]
struct Said {
    #[serde(rename = "type")]
    kind: Option<String>,
    message: Option<String>,
    reason: Option<String>,
}

impl Said {
    fn detail(&self) -> Option<String> {
        let said = self.message.as_ref().or(self.reason.as_ref())?;
        Some(said.chars().take(LONGEST_DETAIL).collect())
    }
}

impl Told {
    fn message_id(&self) -> Option<Uuid> {
        let tag = match &self.data.tags {
            Tags::Named(tags) => tags.get(TAG),
            Tags::Listed(tags) => tags.iter().find(|tag| tag.name == TAG).map(|tag| &tag.value),
        };
        tag?.parse().ok()
    }

    fn outcome(&self) -> Option<Outcome> {
        match self.kind.as_str() {
            "email.delivered" => Some(Outcome::Delivered),
            "email.bounced" => Some(Outcome::Bounced),
            "email.complained" => Some(Outcome::Complained),
            "email.failed" => Some(Outcome::Failed),
            _ => None,
        }
    }

    /// Why its address gets no more letters, if so. A full mailbox may be emptied.
    fn reason(&self) -> Option<Reason> {
        match self.outcome()? {
            Outcome::Bounced if self.data.bounce.kind.as_deref().is_none_or(|kind| kind == "Permanent") => {
                Some(Reason::Bounced)
            }
            Outcome::Complained => Some(Reason::Complained),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Failed,
    Delivered,
    Bounced,
    Complained,
}

impl Outcome {
    fn state(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }

    fn counted_as(self) -> &'static str {
        match self {
            Self::Failed => "email.failed",
            Self::Delivered => "email.delivered",
            Self::Bounced => "email.bounced",
            Self::Complained => "email.complained",
        }
    }
}

/// How much a state says: events overtake each other, and the one that says more stands.
fn rank(state: &str) -> u8 {
    match state {
        "queued" => 0,
        "sent" => 1,
        "failed" => 2,
        "delivered" => 3,
        "bounced" => 4,
        _ => 5,
    }
}

/// Keeps that an event came, and what follows from it, both or neither; answers what became of it.
pub async fn hear(tx: &mut Tx, id: &str, told: &Told) -> Result<&'static str> {
    let now = tx.app().now();
    let message = match told.outcome() {
        Some(_) => model::lock(tx, told.message_id(), &told.data.email_id).await?,
        None => None,
    };
    let fresh = diesel::insert_into(dsl::email_webhook_events)
        .values((
            dsl::id.eq(id),
            dsl::kind.eq(&told.kind),
            dsl::message_id.eq(message.as_ref().map(|message| message.id)),
            dsl::received_at.eq(now),
        ))
        .on_conflict_do_nothing();
    if fresh.execute(&mut **tx).await? == 0 {
        return Ok("repeated");
    }
    let Some(outcome) = told.outcome() else { return Ok("ignored") };
    let at = told.created_at.unwrap_or(now);
    if let Some(reason) = told.reason() {
        for address in told.data.to.iter().map(|address| bare(address)) {
            suppression::add(tx, address, reason, told.data.bounce.detail().as_deref(), at).await?;
        }
    }
    match message {
        Some(message) => note(tx, &message, outcome, told, at).await.map(|()| "accepted"),
        None => Ok("not_ours"),
    }
}

async fn note(tx: &mut Tx, message: &Message, outcome: Outcome, told: &Told, at: DateTime<Utc>) -> Result<()> {
    if rank(outcome.state()) <= rank(&message.state) {
        return Ok(());
    }
    let why = told.data.bounce.detail().or_else(|| told.data.failed.detail());
    model::ended(tx, message.id, outcome.state(), why.as_deref(), at).await?;
    tx.count(outcome.counted_as());
    Ok(())
}

/// The address in `Name <address>`.
fn bare(address: &str) -> &str {
    let inside = address.rsplit_once('<').map_or(address, |(_, rest)| rest);
    inside.trim_end_matches('>').trim()
}

/// Forgets what came before a moment: nothing is told again so late.
pub async fn forget(tx: &mut Tx, before: DateTime<Utc>) -> Result<()> {
    diesel::delete(dsl::email_webhook_events.filter(dsl::received_at.lt(before))).execute(&mut **tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_event_is_read_as_resend_writes_it() {
        let told: Told = serde_json::from_str(
            r#"{ "type": "email.bounced", "created_at": "2026-11-22T23:41:12.126Z", "data": {
                "created_at": "2026-11-22 23:41:11.894719+00", "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
                "from": "Acme <onboarding@resend.dev>", "to": ["delivered@resend.dev"], "subject": "Sending this example",
                "bounce": { "message": "The mailbox is full.", "subType": "MailboxFull", "type": "Transient" },
                "tags": { "message_id": "0197a3a0-0000-7000-8000-000000000001" } } }"#,
        )
        .unwrap();
        assert_eq!((told.outcome(), told.reason()), (Some(Outcome::Bounced), None));
        assert_eq!(told.message_id(), "0197a3a0-0000-7000-8000-000000000001".parse().ok());
        assert_eq!(told.data.bounce.detail().as_deref(), Some("The mailbox is full."));
        let told: Told = serde_json::from_str(r#"{ "type": "contact.created", "data": { "id": "x" } }"#).unwrap();
        assert_eq!((told.outcome(), told.message_id()), (None, None));
        assert_eq!((bare("Léa <lea@example.org>"), bare("lea@example.org")), ("lea@example.org", "lea@example.org"));
    }
}
