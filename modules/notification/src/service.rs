use keroxio_core::{Actor, App, Error, Page, Result, Right, Tx};
use serde_json::json;
use uuid::Uuid;

use crate::model::{self, Item};

/// Something an organization should hear about.
pub struct Notice {
    pub org_id: Uuid,
    /// Stable name such as `listing_ready`.
    pub kind: &'static str,
    pub title_fr: String,
    pub title_en: String,
    /// What it is about, for a link.
    pub subject_id: Option<Uuid>,
}

pub(crate) fn topic(org: Uuid) -> String {
    format!("notifications:{org}")
}

/// Records the notice in the caller's transaction and announces it live after the commit.
pub async fn notify(tx: &mut Tx, notice: Notice) -> Result<()> {
    let item = Item {
        id: Uuid::now_v7(),
        org_id: notice.org_id,
        kind: notice.kind.to_owned(),
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

pub(crate) async fn get(app: &App, actor: &Actor, id: Uuid) -> Result<Item> {
    actor.may(Right::Read)?;
    let mut conn = app.conn().await?;
    model::find(&mut conn, actor.org_id, id).await?.ok_or_else(|| Error::not_found("Notification", "Notification"))
}

pub(crate) async fn list(app: &App, actor: &Actor, page: Page) -> Result<Vec<Item>> {
    actor.may(Right::Read)?;
    let mut conn = app.conn().await?;
    Ok(model::page(&mut conn, actor.org_id, page).await?)
}

pub(crate) async fn unread(app: &App, actor: &Actor) -> Result<i64> {
    actor.may(Right::Read)?;
    let mut conn = app.conn().await?;
    Ok(model::unread(&mut conn, actor.org_id).await?)
}

pub(crate) async fn mark_read(app: &App, actor: &Actor, ids: &[Uuid]) -> Result<i64> {
    actor.may(Right::Read)?;
    let mut tx = app.begin().await?;
    model::mark_read(&mut tx, actor.org_id, ids, app.now()).await?;
    let left = model::unread(&mut tx, actor.org_id).await?;
    tx.commit().await?;
    Ok(left)
}
