use chrono::Duration;
use keroxio_core::{Actor, App, Error, Page, Result, Right, Tx};
use keroxio_email::Letter;
use serde_json::json;
use uuid::Uuid;

use crate::kinds::{NotificationChannel, NotificationKind};
use crate::letters;
use crate::model::{self, Item};
use crate::readers::{self, Reader, View};

/// Something an organization should hear about.
pub struct Notice {
    pub org_id: Uuid,
    pub kind: NotificationKind,
    pub title_fr: String,
    pub title_en: String,
    /// What it is about, for a link.
    pub subject_id: Option<Uuid>,
}

pub(crate) fn topic(org: Uuid) -> String {
    format!("notifications:{org}")
}

/// Records the notice in the caller's transaction, announces it live after the commit, and writes to those who want a
/// letter about it.
pub async fn notify(tx: &mut Tx, notice: Notice) -> Result<()> {
    let letter = letters::plain(&notice);
    notify_by(tx, notice, &letter).await
}

/// [`notify`] with a letter of its own.
pub async fn notify_by(tx: &mut Tx, notice: Notice, letter: &Letter) -> Result<()> {
    let (org, kind) = (notice.org_id, notice.kind);
    let is_told = is_told(tx, &notice).await?;
    show(tx, notice).await?;
    if kind.is_essential() || is_told { Ok(()) } else { letters::write_all(tx, org, kind, letter).await }
}

/// Whether the same was said of the same within a day: an ad that is corrected is ready again and again.
async fn is_told(tx: &mut Tx, notice: &Notice) -> Result<bool> {
    let Some(subject) = notice.subject_id else { return Ok(false) };
    let since = tx.app().now() - Duration::days(1);
    Ok(model::was_told(tx, notice.org_id, notice.kind.name(), subject, since).await?)
}

/// [`notify`] for those whose letters are written elsewhere.
pub async fn show(tx: &mut Tx, notice: Notice) -> Result<()> {
    let item = Item {
        id: Uuid::now_v7(),
        org_id: notice.org_id,
        kind: notice.kind.name().to_owned(),
        title_fr: notice.title_fr,
        title_en: notice.title_en,
        subject_id: notice.subject_id,
        created_at: tx.app().now(),
        read_at: None,
    };
    model::insert(tx, &item).await?;
    tx.publish(topic(item.org_id), json!({ "id": item.id }));
    Ok(())
}

/// One that was just added, where its reader wants to see it.
pub(crate) async fn added(app: &App, actor: &Actor, id: Uuid) -> Result<Option<Item>> {
    actor.may(Right::Read)?;
    let mut conn = app.conn().await?;
    let choices = readers::choices(&mut conn, actor.org_id, &[actor.user_id]).await?.remove(&actor.user_id);
    let item = model::find(&mut conn, actor.org_id, id).await?;
    let is_shown = |item: &Item| {
        let kind = NotificationKind::named(&item.kind);
        kind.is_none_or(|kind| choices.unwrap_or_default().is_on(kind, NotificationChannel::InApp))
    };
    Ok(item.filter(is_shown))
}

pub(crate) async fn list(app: &App, actor: &Actor, page: Page) -> Result<Vec<Item>> {
    actor.may(Right::Read)?;
    let mut conn = app.conn().await?;
    let view = View::of(&mut conn, actor.org_id, actor.user_id).await?;
    Ok(model::page(&mut conn, &view, page).await?)
}

pub(crate) async fn unread(app: &App, actor: &Actor) -> Result<i64> {
    actor.may(Right::Read)?;
    let mut conn = app.conn().await?;
    let view = View::of(&mut conn, actor.org_id, actor.user_id).await?;
    Ok(model::unread(&mut conn, &view).await?)
}

pub(crate) async fn mark_read(app: &App, actor: &Actor, ids: &[Uuid]) -> Result<i64> {
    actor.may(Right::Read)?;
    let mut tx = app.begin().await?;
    readers::mark(&mut tx, (actor.org_id, actor.user_id), ids, app.now()).await?;
    let view = View::of(&mut tx, actor.org_id, actor.user_id).await?;
    let left = model::unread(&mut tx, &view).await?;
    tx.commit().await?;
    Ok(left)
}

pub(crate) async fn mark_all_read(app: &App, actor: &Actor) -> Result<i64> {
    actor.may(Right::Read)?;
    let mut tx = app.begin().await?;
    readers::mark_all(&mut tx, (actor.org_id, actor.user_id), app.now()).await?;
    let view = View::of(&mut tx, actor.org_id, actor.user_id).await?;
    let left = model::unread(&mut tx, &view).await?;
    tx.commit().await?;
    Ok(left)
}

/// What somebody decided; nothing is created by looking.
pub(crate) async fn view(app: &App, actor: &Actor) -> Result<View> {
    actor.may(Right::Read)?;
    Ok(View::of(&mut *app.conn().await?, actor.org_id, actor.user_id).await?)
}

pub(crate) async fn choose(
    app: &App,
    actor: &Actor,
    kind: NotificationKind,
    channel: NotificationChannel,
    is_on: bool,
) -> Result<View> {
    actor.may(Right::Read)?;
    if channel == NotificationChannel::Email && kind.is_essential() && !is_on {
        return Err(Error::bad_input(
            "Cette lettre fait partie de votre compte ou de votre contrat : elle est toujours envoyée.",
            "This letter belongs to your account or contract: it is always sent.",
        ));
    }
    let mut tx = app.begin().await?;
    readers::choose(&mut tx, (actor.org_id, actor.user_id), kind, channel, is_on).await?;
    let view = View::of(&mut tx, actor.org_id, actor.user_id).await?;
    tx.commit().await?;
    Ok(view)
}

/// Changes what is kept of somebody as a reader.
pub(crate) async fn change(app: &App, actor: &Actor, change: impl FnOnce(&mut Reader)) -> Result<View> {
    actor.may(Right::Read)?;
    let mut tx = app.begin().await?;
    let mut reader = readers::lock(&mut tx, actor.org_id, actor.user_id).await?;
    change(&mut reader);
    readers::save(&mut tx, &reader).await?;
    let view = View::of(&mut tx, actor.org_id, actor.user_id).await?;
    tx.commit().await?;
    Ok(view)
}
