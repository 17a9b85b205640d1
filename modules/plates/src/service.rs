use chrono::{DateTime, Utc};
use diesel_async::AsyncPgConnection;
use keroxio_core::{Actor, App, Effects, Queue, Result, Right, Tx};
use keroxio_plate_grammar::{Plate, PlateKind, agree, newest_rank, normalize_foreign};
use keroxio_plugin_sdk::PlateAnswer;
use serde_json::json;
use uuid::Uuid;

use crate::error;
use crate::events::PlateRead;
use crate::jobs::ReadPlate;
use crate::metrics;
use crate::model::{self, Example, Reading};
use crate::settings::Retention;

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
        corrected_at: None,
        measured: false,
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
    actor.may(Right::Stock)?;
    app.admit(Queue::Inference, actor.org_id).await?;
    keroxio_storage::service::require_photos(app, actor.org_id, &[photo]).await?;
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

/// What a seller says a plate is.
pub(crate) struct Correction<'a> {
    pub text: &'a str,
    pub foreign: bool,
    /// Consent to keep it, with the photo, to measure and train readers.
    pub keep_as_example: bool,
}

/// The seller's own reading; it wins over the model's from now on.
pub(crate) async fn correct(app: &App, actor: &Actor, id: Uuid, said: Correction<'_>) -> Result<Reading> {
    actor.may(Right::Stock)?;
    let Correction { text, foreign, keep_as_example } = said;
    let text = if foreign { normalize_foreign(text) } else { Plate::parse(text).map(|p| p.normalized().to_owned()) };
    let text = text.map_err(|_| error::invalid())?;
    let mut tx = app.begin().await?;
    let reading = model::lock(&mut tx, id).await?.filter(|r| r.org_id == actor.org_id);
    let mut reading = reading.ok_or_else(error::not_found)?;
    let read = reading.read_text();
    let verdict = read.as_ref().filter(|_| reading.is_finished()).map(|read| *read != text);
    let now = tx.app().now();
    if keep_as_example {
        let example = Example {
            reading_id: reading.id,
            org_id: reading.org_id,
            photo_id: reading.photo_id,
            read_text: read,
            text: text.clone(),
            manifest: reading.manifest.clone(),
            created_at: now,
            keep_until: now + app.get::<Retention>()?.examples,
        };
        model::keep_example(&mut tx, &example).await?;
    } else {
        // Saying it again without consent takes the consent back.
        model::drop_example(&mut tx, reading.id).await?;
    }
    let first = !std::mem::replace(&mut reading.corrected, true);
    reading.text = Some(text);
    reading.confidence = Some(1.0);
    reading.corrected_at = Some(now);
    model::save(&mut tx, &reading).await?;
    if reading.is_finished() {
        announce(&mut tx, &reading).await?;
    }
    tx.commit().await?;
    if let (Some(changed), true) = (verdict, first) {
        metrics::corrected(reading.manifest.as_ref(), changed);
    }
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
            reading.measured = answer.measured;
            let outcome = match best {
                Some(_) if answer.accepted => "accepted",
                Some(_) => "asked",
                None => "none",
            };
            metrics::read(reading.manifest.as_ref(), outcome, best.map(|best| f64::from(best.confidence)));
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
    match plate.kind() {
        PlateKind::Siv => "SIV",
        PlateKind::WwProvisional => "WW_PROVISIONAL",
        PlateKind::WGarage => "W_GARAGE",
        PlateKind::Fni => "FNI",
        PlateKind::MopedSiv => "MOPED_SIV",
    }
}

/// Deletes examples whose time is over.
pub(crate) async fn forget(app: &App) -> Result<Effects> {
    let mut tx = app.begin().await?;
    let examples = model::drop_examples_until(&mut tx, app.now()).await?;
    tracing::info!(examples, "plate examples forgotten");
    Ok(tx.into())
}

/// Two photos must each be this sure of the same text, and all photos together this sure, for nobody to be asked.
const SEES: f32 = 0.5;
const AGREED: f32 = 0.995;

/// What several photos of one car say together: the reading that stands for them, if any read something, and in
/// `accepted` whether the seller need not be asked. It decides for this car only and is stored nowhere, because
/// the same photo may stand in another listing.
///
/// A correction ends the vote. Otherwise texts count by the product of what each photo gives them. Agreement can
/// make up for doubt where the readers' confidence has been measured and the number is a French one that exists;
/// a photo that clearly says something else takes the certainty away.
pub fn consensus(readings: &[Reading], now: DateTime<Utc>) -> Option<Reading> {
    let surest = |readings: &mut dyn Iterator<Item = &Reading>| {
        let sure = |reading: &Reading| reading.confidence.unwrap_or(0.0);
        readings.max_by(|a, b| sure(a).total_cmp(&sure(b))).cloned()
    };
    let read = || readings.iter().filter(|reading| reading.text.is_some());
    if let Some(corrected) = read().filter(|r| r.corrected).max_by_key(|r| r.corrected_at) {
        return Some(corrected.clone());
    }
    let votes: Vec<Vec<(String, f32)>> =
        readings.iter().map(Reading::texts).filter(|texts| !texts.is_empty()).collect();
    let (text, probability) = agree(&votes, 1).pop()?;
    let mut chosen = surest(&mut read().filter(|r| r.text.as_ref() == Some(&text))).or_else(|| surest(&mut read()))?;
    let says = |wanted: bool| {
        let firsts = votes.iter().filter_map(|texts| texts.first());
        firsts.filter(|(first, p)| *p >= SEES && (*first == text) == wanted).count()
    };
    let agreed = says(true) > 1 && probability >= AGREED && exists(&text, now) && read().all(|r| r.measured);
    let contradicted = says(false) > 0 && says(true) < 2 * says(false);
    chosen.accepted = chosen.text.as_ref() == Some(&text) && (chosen.accepted || agreed) && !contradicted;
    Some(chosen)
}

/// Whether a text is a number of a French series that has been given out.
fn exists(text: &str, now: DateTime<Utc>) -> bool {
    let newest = newest_rank(now.timestamp().div_euclid(86_400));
    Plate::parse(text)
        .is_ok_and(|plate| plate.kind() != PlateKind::MopedSiv && plate.siv_rank().is_none_or(|rank| rank <= newest))
}
