use diesel_async::AsyncPgConnection;
use keroxio_core::{Actor, App, Effects, Error, JobError, Queue, Result, Right, Tx};
use keroxio_storage::MaskingDecision;
use uuid::Uuid;

use crate::events::PhotoCleaned;
use crate::jobs::CleanPhoto;
use crate::look::{self, Look};
use crate::model::{self, Cleaning};
use crate::scene::Scene;
use crate::variants::{self, DrawVariants, Variant};

/// Photos cleaned by one request.
const MOST_AT_ONCE: usize = 40;

pub(crate) fn not_found() -> Error {
    Error::not_found("Photo préparée", "Photo cleaning")
}

/// Starts cleaning a photo in the look of its organization, unless that is under way or done; a failed one starts
/// again. The plate reading it needs is started with it. The caller has checked whose photo it is.
pub async fn start_cleaning(tx: &mut Tx, org: Uuid, photo_id: Uuid) -> Result<Cleaning> {
    let look = look::of(tx, org).await?;
    start_with(tx, org, photo_id, look).await
}

/// The same photo in the same look is no work, unless its rendition was never decided on: before there were decisions.
async fn start_with(tx: &mut Tx, org: Uuid, photo_id: Uuid, look: Look) -> Result<Cleaning> {
    let fresh = Cleaning::waiting(org, photo_id, look.to_stored(), tx.app().now());
    let (mut cleaning, new) = model::ensure(tx, &fresh).await?;
    let looks_otherwise = Look::stored(&cleaning.style) != look;
    cleaning.style = look.to_stored();
    let undecided = match cleaning.masked_object {
        Some(masked) => !keroxio_storage::public::is_public(tx, org, masked).await?,
        None => false,
    };
    if new || cleaning.state == "failed" || (looks_otherwise || undecided) && cleaning.is_finished() {
        return begin(tx, cleaning).await;
    }
    if looks_otherwise {
        // Under way: whoever ends it finds the new look and begins again.
        model::save(tx, &cleaning).await?;
    }
    Ok(cleaning)
}

/// Cleans a photo again, whatever became of it before.
pub async fn restart_cleaning(tx: &mut Tx, org: Uuid, photo_id: Uuid) -> Result<Cleaning> {
    let look = look::of(tx, org).await?;
    let fresh = Cleaning::waiting(org, photo_id, look.to_stored(), tx.app().now());
    let (mut cleaning, new) = model::ensure(tx, &fresh).await?;
    cleaning.style = look.to_stored();
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

pub(crate) fn check_count(photos: &[Uuid]) -> Result<()> {
    if photos.is_empty() || photos.len() > MOST_AT_ONCE {
        return Err(Error::bad_input(
            format!("Indiquez de 1 à {MOST_AT_ONCE} photos."),
            format!("Give 1 to {MOST_AT_ONCE} photos."),
        ));
    }
    Ok(())
}

/// Cleans photos of the caller's, in the scene asked for or the organization's own.
pub(crate) async fn start(app: &App, actor: &Actor, photos: &[Uuid], scene: Option<Scene>) -> Result<Vec<Cleaning>> {
    actor.may(Right::Stock)?;
    check_count(photos)?;
    app.admit(Queue::Inference, actor.org_id).await?;
    keroxio_storage::service::require_photos(app, actor.org_id, photos).await?;
    let mut tx = app.begin().await?;
    let own = look::of(&mut tx, actor.org_id).await?;
    let look = match scene {
        // A scene that is asked for by name is not covered by the organization's own background.
        Some(scene) => Look { scene, background_photo: None, ..own },
        None => own,
    };
    let mut cleanings = Vec::with_capacity(photos.len());
    // In one order, whoever asks: two requests for the same photos must not wait for each other.
    let mut sorted = photos.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    for photo in sorted {
        cleanings.push(start_with(&mut tx, actor.org_id, photo, look).await?);
    }
    tx.commit().await?;
    let of = |photo: &Uuid| cleanings.iter().find(|cleaning| cleaning.photo_id == *photo).cloned();
    Ok(photos.iter().filter_map(of).collect())
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

pub async fn get(app: &App, org: Uuid, id: Uuid) -> Result<Cleaning> {
    let mut conn = app.conn().await?;
    model::find(&mut conn, org, id).await?.ok_or_else(not_found)
}

pub async fn by_photo(conn: &mut AsyncPgConnection, org: Uuid, photo: Uuid) -> Result<Option<Cleaning>> {
    Ok(model::by_photo(conn, org, photo).await?)
}

/// The cleaning still to be done, if any.
pub(crate) async fn pending(app: &App, id: Uuid) -> Result<Option<Cleaning>> {
    let mut tx = app.begin().await?;
    let cleaning = model::lock(&mut tx, id).await?;
    tx.commit().await?;
    Ok(cleaning.filter(|c| c.state == "pending"))
}

/// Saves the result, opens its renditions to anybody and tells who waits for it.
pub(crate) async fn finish(app: &App, mut cleaning: Cleaning, decision: Option<&MaskingDecision>) -> Result<Effects> {
    let mut tx = app.begin().await?;
    let current = model::lock(&mut tx, cleaning.id).await?;
    let Some(mut current) = current.filter(|current| !current.is_finished()) else { return Ok(Effects::none()) };
    if current.style != cleaning.style {
        // Another look was asked for meanwhile. What a failed look found suspect is not shown until then.
        if cleaning.state == "failed" {
            let shown = current.renditions();
            (current.masked_object, current.cleaned_object) = (None, None);
            withdraw(&mut tx, &current, shown).await?;
        }
        begin(&mut tx, current).await?;
        return Ok(tx.into());
    }
    cleaning.finished_at = Some(app.now());
    cleaning.drawn_style = cleaning.masked_object.map(|_| cleaning.style.clone());
    model::save(&mut tx, &cleaning).await?;
    withdraw(&mut tx, &cleaning, current.renditions()).await?;
    if let Some(decision) = decision {
        keroxio_storage::public::publish(&mut tx, cleaning.org_id, &cleaning.renditions(), decision).await?;
    }
    if let Some(source_id) = cleaning.shown() {
        tx.enqueue(&DrawVariants { cleaning_id: cleaning.id, org_id: cleaning.org_id, source_id }).await?;
    }
    let event = PhotoCleaned { cleaning_id: cleaning.id, photo_id: cleaning.photo_id, org_id: cleaning.org_id };
    tx.announce(&event).await?;
    Ok(tx.into())
}

/// Closes what a cleaning showed until now: the renditions given, unless it still has them, and their lighter files.
async fn withdraw(tx: &mut Tx, cleaning: &Cleaning, mut shown: Vec<Uuid>) -> Result<()> {
    shown.extend(variants::clear(tx, cleaning.id).await?);
    let mut kept = cleaning.renditions();
    kept.extend(variants::shared(tx, cleaning.id, &shown).await?);
    kept.extend(model::shared(tx, cleaning.id, &shown).await?);
    shown.retain(|file| !kept.contains(file));
    keroxio_storage::public::withdraw(tx, cleaning.org_id, &shown).await?;
    Ok(())
}

/// Keeps the files of a rendition and opens them to anybody, unless another one is shown by now.
pub(crate) async fn keep_variants(
    app: &App,
    cleaning: &Cleaning,
    source: Uuid,
    rows: &[Variant],
    decision: &MaskingDecision,
) -> Result<Effects, JobError> {
    let mut tx = app.begin().await?;
    let current = model::lock(&mut tx, cleaning.id).await?.and_then(|current| current.shown());
    if current == Some(source) {
        variants::keep(&mut tx, rows).await?;
        let files: Vec<Uuid> = rows.iter().map(|row| row.object_id).collect();
        keroxio_storage::public::publish(&mut tx, cleaning.org_id, &files, decision).await?;
    }
    Ok(tx.into())
}

/// Somebody called the work off: the renditions of before, if any, stay what is shown.
pub(crate) async fn call_off(app: &App, id: Uuid, code: &str) -> Result<Effects> {
    let mut tx = app.begin().await?;
    let cleaning = model::lock(&mut tx, id).await?.filter(|cleaning| !cleaning.is_finished());
    let Some(mut cleaning) = cleaning.filter(|cleaning| cleaning.masked_object.is_some()) else {
        tx.commit().await?;
        return fail(app, id, code).await;
    };
    cleaning.state = "done".to_owned();
    cleaning.finished_at = Some(app.now());
    cleaning.style = cleaning.drawn_style.clone().unwrap_or(cleaning.style);
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
    (cleaning.faces_blurred, cleaning.framed, cleaning.frame) = (None, None, None);
    (cleaning.angle, cleaning.angle_confidence) = (None, None);
    cleaning.error = Some(code.to_owned());
    finish(app, cleaning, None).await
}
