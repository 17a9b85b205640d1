use diesel_async::AsyncPgConnection;
use keroxio_core::{Actor, App, Effects, Queue, Result, Tx};
use keroxio_plate_grammar::{Plate, normalize_foreign};
use keroxio_plugin_sdk::PlateAnswer;
use serde_json::json;
use uuid::Uuid;

use crate::error;
use crate::events::PlateRead;
use crate::jobs::ReadPlate;
use crate::model::{self, Reading};

/// Starts reading a photo, unless it is being read or has been. A failed reading starts again.
/// The caller has checked whose photo it is.
pub async fn start_reading(tx: &mut Tx, org: Uuid, photo_id: Uuid) -> Result<Reading> {
    let fresh = Reading {
        id: Uuid::now_v7(),
        org_id: org,
        photo_id,
        state: "pending".to_owned(),
        text: None,
        confidence: None,
        corrected: false,
        sightings: json!([]),
        manifest: None,
        error: None,
        created_at: tx.app().now(),
        finished_at: None,
        accepted: false,
        job_id: None,
    };
    let (mut reading, new) = model::ensure(tx, &fresh).await?;
    let failed = reading.state == "failed";
    if new || failed {
        reading.state = "pending".to_owned();
        reading.error = None;
        reading.job_id = Some(tx.enqueue(&ReadPlate { reading_id: reading.id, org_id: org }).await?);
        model::save(tx, &reading).await?;
    }
    Ok(reading)
}

pub(crate) async fn start(app: &App, actor: &Actor, photo: Uuid) -> Result<Reading> {
    app.admit(Queue::Inference, actor.org_id).await?;
    keroxio_storage::service::require(app, actor.org_id, &[photo]).await?;
    let mut tx = app.begin().await?;
    let reading = start_reading(&mut tx, actor.org_id, photo).await?;
    tx.commit().await?;
    Ok(reading)
}

pub async fn get(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> Result<Reading> {
    model::find(conn, org, id).await?.ok_or_else(error::not_found)
}

/// [`get`] with a connection of its own.
pub async fn fetch(app: &App, org: Uuid, id: Uuid) -> Result<Reading> {
    let mut conn = app.conn().await?;
    get(&mut conn, org, id).await
}

pub async fn by_photo(conn: &mut AsyncPgConnection, org: Uuid, photo: Uuid) -> Result<Option<Reading>> {
    Ok(model::by_photo(conn, org, photo).await?)
}

/// The seller's own reading; it wins over the model's from now on.
pub(crate) async fn correct(app: &App, actor: &Actor, id: Uuid, text: &str, foreign: bool) -> Result<Reading> {
    let text = if foreign { normalize_foreign(text) } else { Plate::parse(text).map(|p| p.normalized().to_owned()) };
    let text = text.map_err(|_| error::invalid())?;
    let mut tx = app.begin().await?;
    let reading = model::lock(&mut tx, id).await?.filter(|r| r.org_id == actor.org_id);
    let mut reading = reading.ok_or_else(error::not_found)?;
    reading.text = Some(text);
    reading.confidence = Some(1.0);
    reading.corrected = true;
    model::save(&mut tx, &reading).await?;
    if reading.is_finished() {
        announce(&mut tx, &reading).await?;
    }
    tx.commit().await?;
    Ok(reading)
}

/// The photo still to be read, if any.
pub(crate) async fn pending(app: &App, id: Uuid) -> Result<Option<Reading>> {
    let mut tx = app.begin().await?;
    let reading = model::lock(&mut tx, id).await?;
    tx.commit().await?;
    Ok(reading.filter(|r| !r.is_finished()))
}

pub(crate) enum Outcome {
    Read(PlateAnswer),
    /// With the code of the reason.
    GivenUp(&'static str),
}

pub(crate) async fn finish(app: &App, id: Uuid, outcome: Outcome) -> Result<Effects> {
    let mut tx = app.begin().await?;
    let Some(mut reading) = model::lock(&mut tx, id).await?.filter(|r| !r.is_finished()) else {
        return Ok(Effects::none());
    };
    reading.finished_at = Some(app.now());
    match outcome {
        Outcome::Read(answer) => {
            reading.state = "done".to_owned();
            reading.manifest = Some(serde_json::to_value(answer.manifest)?);
            let best = answer.sightings.first().and_then(|s| s.readings.first());
            if let (Some(best), false) = (best, reading.corrected) {
                reading.text = Some(best.text.clone());
                reading.confidence = Some(best.confidence);
                reading.accepted = answer.accepted;
            }
            reading.sightings = serde_json::to_value(answer.sightings)?;
        }
        Outcome::GivenUp(code) => {
            reading.state = "failed".to_owned();
            reading.error = Some(code.to_owned());
        }
    }
    model::save(&mut tx, &reading).await?;
    announce(&mut tx, &reading).await?;
    Ok(tx.into())
}

async fn announce(tx: &mut Tx, reading: &Reading) -> Result<()> {
    let event = PlateRead { reading_id: reading.id, photo_id: reading.photo_id, org_id: reading.org_id };
    tx.announce(&event).await
}

/// Stable name of a plate's format.
pub(crate) fn kind_name(plate: &Plate) -> &'static str {
    use keroxio_plate_grammar::PlateKind;
    match plate.kind() {
        PlateKind::Siv => "SIV",
        PlateKind::WwProvisional => "WW_PROVISIONAL",
        PlateKind::WGarage => "W_GARAGE",
        PlateKind::Fni => "FNI",
        PlateKind::MopedSiv => "MOPED_SIV",
    }
}
