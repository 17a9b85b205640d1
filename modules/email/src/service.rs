use chrono::{DateTime, Utc};
use keroxio_core::{App, Error, Page, Result, Tx, as_system};
use uuid::Uuid;

use crate::job::SendLetter;
use crate::letter::{Letter, Locale};
use crate::model::{self, Message};
use crate::settings::Settings;
use crate::suppression::{self, Suppression};
pub use crate::suppression::{Standing, clear};
use crate::transport::Transport;
use crate::unsubscribe::{Key, Unsubscribed};

/// Whom a letter goes to, and how.
pub struct Envelope<'a> {
    pub org_id: Option<Uuid>,
    pub to: &'a str,
    pub locale: Locale,
    /// Where the answer goes, where that is not the sender.
    pub reply_to: Option<String>,
    /// Who may end letters about what: needed for every letter that is optional.
    pub reader: Option<Unsubscribed>,
    /// It does not leave earlier.
    pub not_before: Option<DateTime<Utc>>,
}

/// Writes a letter to somebody; it leaves once the transaction is committed. Without a transport it stays in the
/// mailbox.
///
/// # Errors
/// When PostgreSQL fails.
pub async fn send(tx: &mut Tx, org_id: Option<Uuid>, to: &str, locale: Locale, letter: &Letter) -> Result<()> {
    post(tx, Envelope { org_id, to, locale, reply_to: None, reader: None, not_before: None }, letter).await
}

/// [`send`] with more to say about how.
///
/// # Errors
/// When PostgreSQL fails, and for an optional letter that nobody may end.
pub async fn post(tx: &mut Tx, envelope: Envelope<'_>, letter: &Letter) -> Result<()> {
    let (settings, transport) = (tx.app().get::<Settings>()?, tx.app().get::<Transport>()?);
    let kind = letter.kind();
    if kind.is_optional() && envelope.reader.is_none() {
        return Err(Error::internal(anyhow::anyhow!("{kind:?} is optional, and nobody may end it")));
    }
    let key = tx.app().get::<Key>()?;
    let unsubscribe = envelope.reader.as_ref().map(|reader| key.address(&settings.public_url, reader));
    let written = letter.write(envelope.locale, &settings.app_url, unsubscribe.as_deref())?;
    let leaves = !matches!(transport, Transport::Mailbox);
    let message = Message {
        id: Uuid::now_v7(),
        org_id: envelope.org_id,
        recipient: envelope.to.to_owned(),
        kind: kind.name().to_owned(),
        subject: written.subject,
        html: Some(written.html),
        plain: Some(written.plain),
        state: if leaves { "queued" } else { "kept" }.to_owned(),
        provider_id: None,
        error: None,
        created_at: tx.app().now(),
        sent_at: None,
        reply_to: envelope.reply_to,
        outcome_at: None,
        unsubscribe,
    };
    model::insert(tx, &message).await?;
    tx.count(if leaves { "email.queued" } else { "email.kept" });
    if leaves {
        let job = SendLetter { message_id: message.id, org_id: envelope.org_id };
        match envelope.not_before.filter(|at| *at > message.created_at) {
            Some(at) => tx.enqueue_at(&job, at).await?,
            None => tx.enqueue(&job).await?,
        };
    }
    Ok(())
}

/// Forgets the letters to somebody whom an organization no longer keeps.
///
/// # Errors
/// When PostgreSQL fails.
pub async fn forget(tx: &mut Tx, org_id: Uuid, recipients: &[String]) -> Result<()> {
    model::forget(tx, org_id, recipients).await?;
    Ok(())
}

/// Whether letters are sent to an address. No tenant reaches the list.
///
/// # Errors
/// When PostgreSQL fails.
pub async fn standing(app: &App, address: &str) -> Result<Standing> {
    as_system(async { suppression::standing(&mut *app.conn().await?, address).await }).await
}

pub(crate) async fn list(app: &App, page: Page) -> Result<Vec<Message>> {
    Ok(model::page(&mut *app.conn().await?, page).await?)
}

pub(crate) async fn suppressions(app: &App, page: Page) -> Result<Vec<Suppression>> {
    suppression::page(&mut *app.conn().await?, page).await
}
