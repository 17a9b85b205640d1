use diesel_async::AsyncPgConnection;
use keroxio_core::{Actor, App, Effects, Error, Queue, Result, Tx};
use uuid::Uuid;

use crate::events::PhotoCleaned;
use crate::jobs::CleanPhoto;
use crate::model::{self, Cleaning};

fn not_found() -> Error {
    Error::not_found("Photo préparée", "Photo cleaning")
}

/// Starts cleaning a photo, unless that is under way or done; a failed one starts again. The plate
/// reading it needs is started with it. The caller has checked whose photo it is.
pub async fn start_cleaning(tx: &mut Tx, org: Uuid, photo_id: Uuid) -> Result<Cleaning> {
    let fresh = Cleaning::waiting(org, photo_id, tx.app().now());
    let (cleaning, new) = model::ensure(tx, &fresh).await?;
    if new || cleaning.state == "failed" { begin(tx, cleaning).await } else { Ok(cleaning) }
}

/// Cleans a photo again, whatever became of it before.
pub async fn restart_cleaning(tx: &mut Tx, org: Uuid, photo_id: Uuid) -> Result<Cleaning> {
    let fresh = Cleaning::waiting(org, photo_id, tx.app().now());
    let (cleaning, new) = model::ensure(tx, &fresh).await?;
    if new || cleaning.is_finished() { begin(tx, cleaning).await } else { Ok(cleaning) }
}

/// The reading is locked here and when it ends, so either we see it finished or its event sees us waiting.
async fn begin(tx: &mut Tx, mut cleaning: Cleaning) -> Result<Cleaning> {
    let reading = keroxio_plates::service::start_reading(tx, cleaning.org_id, cleaning.photo_id).await?;
    cleaning.error = None;
    cleaning.finished_at = None;
    cleaning.state = if reading.is_finished() { "pending" } else { "waiting" }.to_owned();
    if reading.is_finished() {
        cleaning.job_id = Some(tx.enqueue(&CleanPhoto { cleaning_id: cleaning.id, org_id: cleaning.org_id }).await?);
    }
    model::save(tx, &cleaning).await?;
    Ok(cleaning)
}

pub(crate) async fn start(app: &App, actor: &Actor, photo: Uuid) -> Result<Cleaning> {
    app.admit(Queue::Inference, actor.org_id).await?;
    keroxio_storage::service::require(app, actor.org_id, &[photo]).await?;
    let mut tx = app.begin().await?;
    let cleaning = start_cleaning(&mut tx, actor.org_id, photo).await?;
    tx.commit().await?;
    Ok(cleaning)
}

/// The plate reading of a photo has ended: its waiting cleaning goes on.
pub(crate) async fn resume(app: &App, org: Uuid, photo: Uuid) -> Result<Effects> {
    let mut tx = app.begin().await?;
    if let Some(mut cleaning) = model::lock_waiting(&mut tx, org, photo).await? {
        cleaning.state = "pending".to_owned();
        cleaning.job_id = Some(tx.enqueue(&CleanPhoto { cleaning_id: cleaning.id, org_id: org }).await?);
        model::save(&mut tx, &cleaning).await?;
    }
    Ok(tx.into())
}

pub(crate) async fn get(app: &App, org: Uuid, id: Uuid) -> Result<Cleaning> {
    let mut conn = app.conn().await?;
    model::find(&mut conn, org, id).await?.ok_or_else(not_found)
}

pub async fn by_photo(conn: &mut AsyncPgConnection, org: Uuid, photo: Uuid) -> Result<Option<Cleaning>> {
    Ok(model::by_photo(conn, org, photo).await?)
}

/// [`by_photo`] with a connection of its own.
pub async fn fetch_by_photo(app: &App, org: Uuid, photo: Uuid) -> Result<Option<Cleaning>> {
    let mut conn = app.conn().await?;
    by_photo(&mut conn, org, photo).await
}

/// The cleaning still to be done, if any.
pub(crate) async fn pending(app: &App, id: Uuid) -> Result<Option<Cleaning>> {
    let mut tx = app.begin().await?;
    let cleaning = model::lock(&mut tx, id).await?;
    tx.commit().await?;
    Ok(cleaning.filter(|c| c.state == "pending"))
}

/// Saves the result and tells who waits for it.
pub(crate) async fn finish(app: &App, mut cleaning: Cleaning) -> Result<Effects> {
    let mut tx = app.begin().await?;
    let current = model::lock(&mut tx, cleaning.id).await?;
    if current.is_none_or(|c| c.is_finished()) {
        return Ok(Effects::none());
    }
    cleaning.finished_at = Some(app.now());
    model::save(&mut tx, &cleaning).await?;
    let event = PhotoCleaned { cleaning_id: cleaning.id, photo_id: cleaning.photo_id, org_id: cleaning.org_id };
    tx.announce(&event).await?;
    Ok(tx.into())
}

pub(crate) async fn fail(app: &App, id: Uuid, code: &str) -> Result<Effects> {
    let Some(mut cleaning) = pending(app, id).await? else { return Ok(Effects::none()) };
    cleaning.state = "failed".to_owned();
    // An earlier rendition may be the very one that shows a plate.
    cleaning.masked_object = None;
    cleaning.cleaned_object = None;
    cleaning.error = Some(code.to_owned());
    finish(app, cleaning).await
}
