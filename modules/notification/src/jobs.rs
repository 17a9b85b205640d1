//! Digests, what one click ended, and what is not kept for ever.

use chrono::{DateTime, Datelike as _, Duration, Timelike as _, Utc, Weekday};
use keroxio_core::{App, BackgroundJob, Effects, JobError, Priority, Right, Tx};
use keroxio_email::{Letter, Locale, Unsubscribed};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kinds::{NotificationChannel, NotificationKind};
use crate::letters::{self, Recipient};
use crate::model;
use crate::readers::{self, Reader, View};

/// The topic of digests in links that end letters.
pub const DIGEST: &str = "digest";
/// Hour of the reader's clock at which digests are written.
const MORNING: u32 = 7;
/// Readers of one look, and notifications that a digest names.
const AT_ONCE: i64 = 200;
const LINES: i64 = 10;
/// Days that notifications are kept, read or not: what they are about is kept elsewhere.
const KEPT: i64 = 180;

/// Writes digests to those for whom it is morning.
#[derive(Serialize, Deserialize, Default)]
pub struct WriteDigests {
    after: (Uuid, Uuid),
}

impl BackgroundJob for WriteDigests {
    const NAME: &'static str = "notification.write_digests";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut tx = app.begin().await?;
        let page = readers::digested(&mut tx, self.after, AT_ONCE).await?;
        if let Some(last) = page.last().filter(|_| page.len() as i64 == AT_ONCE) {
            tx.enqueue(&Self { after: (last.org_id, last.user_id) }).await?;
        }
        for reader in page {
            if is_due(&reader, app.now()) {
                digest(&mut tx, (reader.org_id, reader.user_id)).await?;
            }
        }
        Ok(tx.into())
    }
}

/// Once a day, or on Mondays, in the hour of the morning; a second look in that hour finds it done.
fn is_due(reader: &Reader, now: DateTime<Utc>) -> bool {
    let local = now.with_timezone(&reader.zone());
    let is_done = reader.digested_at.is_some_and(|at| now - at < Duration::hours(20));
    local.hour() == MORNING && !is_done && (reader.digest == "daily" || local.weekday() == Weekday::Mon)
}

async fn digest(tx: &mut Tx, (org, user): (Uuid, Uuid)) -> keroxio_core::Result<()> {
    let now = tx.app().now();
    let members = keroxio_auth::service::addressees(tx, org, Right::Read).await?;
    let mut confirmed = members.into_iter().filter(|member| member.is_confirmed);
    let Some(member) = confirmed.find(|member| member.user_id == user) else { return Ok(()) };
    let mut reader = readers::lock(tx, org, user).await?;
    if reader.digest == "off" {
        return Ok(());
    }
    let since = reader.digested_at.unwrap_or(now - Duration::days(7));
    let view = View::of(tx, org, user).await?;
    let (lines, count) = model::unread_since(tx, &view, since, LINES).await?;
    if count > 0 {
        let letter = Letter::Digest {
            organization: keroxio_auth::service::organization_in(tx, org).await?.name,
            more: count - i64::try_from(lines.len()).unwrap_or(count),
            lines_fr: lines.iter().map(|item| item.title_fr.clone()).collect(),
            lines_en: lines.into_iter().map(|item| item.title_en).collect(),
            url: "/notifications".to_owned(),
        };
        let locale = Locale::named(&member.locale);
        let to = Recipient { user_id: user, email: member.email, locale, not_before: reader.not_before(now) };
        letters::write(tx, org, to, DIGEST, &letter).await?;
    }
    reader.digested_at = Some(now);
    readers::save(tx, &reader).await?;
    Ok(())
}

/// Somebody wants no more letters about something.
#[derive(Serialize, Deserialize)]
pub struct EndLetters(Unsubscribed);

impl From<Unsubscribed> for EndLetters {
    fn from(event: Unsubscribed) -> Self {
        Self(event)
    }
}

impl BackgroundJob for EndLetters {
    const NAME: &'static str = "notification.end_letters";

    fn org_id(&self) -> Option<Uuid> {
        Some(self.0.org_id)
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let Unsubscribed { org_id, user_id, topic } = self.0;
        let mut tx = app.begin().await?;
        // Whoever has left gets no letters anyway.
        if !keroxio_auth::service::is_member(&mut tx, org_id, user_id).await? {
            return Ok(Effects::none());
        }
        if topic == DIGEST {
            let reader = readers::lock(&mut tx, org_id, user_id).await?;
            readers::save(&mut tx, &Reader { digest: "off".to_owned(), ..reader }).await?;
        } else if let Some(kind) = NotificationKind::named(&topic) {
            readers::choose(&mut tx, (org_id, user_id), kind, NotificationChannel::Email, false).await?;
        }
        Ok(tx.into())
    }
}

/// Forgets old notifications.
#[derive(Serialize, Deserialize)]
pub struct Forget;

impl BackgroundJob for Forget {
    const NAME: &'static str = "notification.forget";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut tx = app.begin().await?;
        model::forget(&mut tx, app.now() - Duration::days(KEPT)).await?;
        Ok(tx.into())
    }
}
