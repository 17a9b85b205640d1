//! Notifications by letter: to those who can do something about them, as they want it.

use chrono::{DateTime, Utc};
use diesel_async::AsyncPgConnection;
use keroxio_core::{Result, Tx};
use keroxio_email::service::Envelope;
use keroxio_email::{Letter, Locale, Unsubscribed};
use uuid::Uuid;

use crate::kinds::{NotificationChannel, NotificationKind};
use crate::readers::{self, Reader};
use crate::service::Notice;

/// Letters about one fact.
const MOST_LETTERS: usize = 20;

/// A member who wants a letter.
pub struct Recipient {
    pub user_id: Uuid,
    pub email: String,
    pub locale: Locale,
    /// The end of their quiet hours.
    pub not_before: Option<DateTime<Utc>>,
}

/// The members of an organization who want letters about something, the longest-standing first. Whoever has not
/// confirmed their address gets none: it may be somebody else's.
///
/// # Errors
/// When PostgreSQL fails.
pub async fn recipients(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    kind: NotificationKind,
    now: DateTime<Utc>,
) -> Result<Vec<Recipient>> {
    let mut members = keroxio_auth::service::addressees(conn, org, kind.right()).await?;
    members.retain(|member| member.is_confirmed);
    let ids: Vec<Uuid> = members.iter().map(|member| member.user_id).collect();
    let choices = readers::choices(conn, org, &ids).await?;
    let quiet = readers::readers(conn, org, &ids).await?;
    let default = readers::Choices::default();
    let wants = |user: &Uuid| choices.get(user).unwrap_or(&default).is_on(kind, NotificationChannel::Email);
    let recipients = members.into_iter().filter(|member| wants(&member.user_id)).map(|member| Recipient {
        user_id: member.user_id,
        locale: Locale::named(&member.locale),
        not_before: quiet.get(&member.user_id).and_then(|reader: &Reader| reader.not_before(now)),
        email: member.email,
    });
    Ok(recipients.take(MOST_LETTERS).collect())
}

/// Writes to somebody, who may end letters of the kind by one click.
///
/// # Errors
/// When PostgreSQL fails.
pub async fn write(tx: &mut Tx, org: Uuid, to: Recipient, topic: &str, letter: &Letter) -> Result<()> {
    let envelope = Envelope {
        org_id: Some(org),
        to: &to.email,
        locale: to.locale,
        reply_to: None,
        reader: Some(Unsubscribed { org_id: org, user_id: to.user_id, topic: topic.to_owned() }),
        not_before: to.not_before,
    };
    keroxio_email::service::post(tx, envelope, letter).await
}

/// Writes to all who want a letter about something.
///
/// # Errors
/// When PostgreSQL fails.
pub async fn write_all(tx: &mut Tx, org: Uuid, kind: NotificationKind, letter: &Letter) -> Result<()> {
    let now = tx.app().now();
    for recipient in recipients(tx, org, kind, now).await? {
        write(tx, org, recipient, kind.name(), letter).await?;
    }
    Ok(())
}

/// The letter of a notification that has none of its own.
pub fn plain(notice: &Notice) -> Letter {
    Letter::Notice {
        title_fr: notice.title_fr.clone(),
        title_en: notice.title_en.clone(),
        url: "/notifications".to_owned(),
    }
}
