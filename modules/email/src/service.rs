use keroxio_core::{App, Page, Result, Tx};
use uuid::Uuid;

use crate::job::SendLetter;
use crate::letter::{Letter, Locale};
use crate::model::{self, Message};
use crate::settings::Settings;
use crate::transport::Transport;

/// Writes a letter to somebody; it leaves once the transaction is committed. Without a transport it stays in the
/// mailbox.
///
/// # Errors
/// When PostgreSQL fails.
pub async fn send(tx: &mut Tx, org_id: Option<Uuid>, to: &str, locale: Locale, letter: &Letter) -> Result<()> {
    send_for(tx, org_id, to, None, locale, letter).await
}

/// [`send`] a letter whose answer goes to somebody else than the sender.
///
/// # Errors
/// When PostgreSQL fails.
pub async fn send_for(
    tx: &mut Tx,
    org_id: Option<Uuid>,
    to: &str,
    reply_to: Option<String>,
    locale: Locale,
    letter: &Letter,
) -> Result<()> {
    let (settings, transport) = (tx.app().get::<Settings>()?, tx.app().get::<Transport>()?);
    let written = letter.write(locale, &settings.app_url)?;
    let leaves = !matches!(transport, Transport::Mailbox);
    let message = Message {
        id: Uuid::now_v7(),
        org_id,
        recipient: to.to_owned(),
        kind: written.kind.to_owned(),
        subject: written.subject,
        html: Some(written.html),
        plain: Some(written.plain),
        state: if leaves { "queued" } else { "kept" }.to_owned(),
        provider_id: None,
        error: None,
        created_at: tx.app().now(),
        sent_at: None,
        reply_to,
    };
    model::insert(tx, &message).await?;
    tx.count(if leaves { "email.queued" } else { "email.kept" });
    if leaves {
        tx.enqueue(&SendLetter { message_id: message.id, org_id }).await?;
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

pub(crate) async fn list(app: &App, page: Page) -> Result<Vec<Message>> {
    Ok(model::page(&mut *app.conn().await?, page).await?)
}
