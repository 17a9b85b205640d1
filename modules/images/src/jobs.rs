use std::sync::Arc;
use std::time::Duration;

use keroxio_core::{App, BackgroundJob, Effects, Error, GivenUp, JobError, Queue};
use keroxio_plates::Reading;
use keroxio_plates::events::PlateRead;
use keroxio_plugin_sdk::geometry::{centre, contains, size};
use keroxio_plugin_sdk::{BackgroundRemovers, Photo, PlateReaders, PlateSighting, Quad};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::cutting::{self, Cut};
use crate::look::Look;
use crate::model::Cleaning;
use crate::render::{Drawn, File, Working};
use crate::service;
use crate::verdict::Grade;

/// A plate that a reader reads this surely is not hidden; nor is what this surely is one, read or not. Less would
/// cover lamps and badges.
const READABLE: f32 = 0.3;
const PLATE: f32 = 0.75;
/// Width of the car's own plate at least, as a share of the photo's longer side.
const OWN_PLATE: f32 = 0.035;
/// How often renditions are looked at before the photo is given up.
const MOST_LOOKS: usize = 3;

/// Cleans one photo.
#[derive(Serialize, Deserialize)]
pub struct CleanPhoto {
    pub cleaning_id: Uuid,
    pub org_id: Uuid,
}

impl BackgroundJob for CleanPhoto {
    const NAME: &'static str = "images.clean";
    const QUEUE: Queue = Queue::Inference;
    const MAX_ATTEMPTS: i32 = 3;
    const TIMEOUT: Duration = Duration::from_secs(120);
    const KEEP: Duration = Duration::from_secs(24 * 3_600);
    const CANCELLABLE: bool = true;

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let Some(mut cleaning) = service::pending(&app, self.cleaning_id).await? else { return Ok(Effects::none()) };
        let org = cleaning.org_id;
        let reading = {
            let mut conn = app.conn().await?;
            keroxio_plates::service::by_photo(&mut conn, org, cleaning.photo_id).await?
        };
        // A failed reading may have missed a plate: nothing may be shown of this photo.
        let Some(reading) = reading.filter(|r| r.state == "done") else {
            return Ok(service::fail(&app, cleaning.id, "PLATES_NOT_CHECKED").await?);
        };
        let removers: BackgroundRemovers = app.get()?;
        let photo = keroxio_storage::service::photo(&app, org, cleaning.photo_id).await?;
        let quads = reading.quads();
        let own = own_plate(&reading, &quads, &photo);
        let cut = cutting::cut(&removers, &photo, own).await.map_err(|e| JobError::new(e.is_lasting(), e))?;
        record(&mut cleaning, &cut);
        let matte = (cut.verdict.grade > Grade::Rejected).then(|| Arc::clone(&cut.matte));
        let working = {
            let photo = photo.clone();
            tokio::task::spawn_blocking(move || Working::of(&photo)).await.map_err(Error::internal)?
        };
        // From here on, a quarter of the pixels is enough.
        drop(photo);
        let working = Arc::new(working);
        let Some(hidden) = hide_all(&app, &working, quads).await? else {
            return Ok(service::fail(&app, cleaning.id, "PLATES_NOT_HIDDEN").await?);
        };
        cleaning.plates_masked = i32::try_from(hidden.len()).ok();
        let style = Look::stored(&cleaning.style).style(&app, org).await?;
        let draw = move || Drawn::of(&working, matte.as_deref(), &hidden, &style).encode();
        let renditions = tokio::task::spawn_blocking(draw).await.map_err(Error::internal)??;
        let put = async |file: File| {
            keroxio_storage::service::put(&app, org, file.bytes, file.media_type, Some(file.size)).await
        };
        cleaning.masked_object = Some(put(renditions.masked).await?.id);
        cleaning.cleaned_object = match renditions.cleaned {
            Some(file) => Some(put(file).await?.id),
            None => None,
        };
        cleaning.manifest = serde_json::to_value(&cut.manifest).ok();
        cleaning.state = "done".to_owned();
        Ok(service::finish(&app, cleaning).await?)
    }

    async fn gave_up(self, app: App, why: GivenUp) -> keroxio_core::Result<Effects> {
        let code = match why {
            GivenUp::Failed(_) => "PHOTO_CLEANING_FAILED",
            GivenUp::Cancelled => "PHOTO_CLEANING_CANCELLED",
        };
        service::fail(&app, self.cleaning_id, code).await
    }
}

/// The plate that is surely the car's own: the first in view, read without doubt, and not as small as a neighbour's.
fn own_plate<'a>(reading: &Reading, quads: &'a [Quad], photo: &Photo) -> Option<&'a Quad> {
    let is_known = reading.accepted || reading.corrected;
    let longest = photo.width().max(photo.height()) as f32;
    quads.first().filter(|quad| is_known && size(quad).0 >= OWN_PLATE * longest)
}

/// What was seen, kept with the result.
fn record(cleaning: &mut Cleaning, cut: &Cut) {
    let (matte, verdict) = (&cut.matte, &cut.verdict);
    (cleaning.car_found, cleaning.coverage, cleaning.confidence) =
        (Some(matte.found), Some(matte.coverage), Some(matte.confidence));
    cleaning.verdict = Some(verdict.grade.name().to_owned());
    cleaning.remarks = serde_json::to_value(&verdict.remarks).unwrap_or_default();
    metrics::counter!(crate::VERDICTS, "grade" => verdict.grade.name()).increment(1);
}

/// Covers the plates and lets the readers of this machine look again: what is still seen is covered too. Answers all
/// that has to be hidden; nothing when one stays readable. Looked at is an even cover, whatever the style: an inlay
/// carries a text of its own.
async fn hide_all(app: &App, working: &Arc<Working>, mut quads: Vec<Quad>) -> Result<Option<Vec<Quad>>, JobError> {
    let readers = app.get::<PlateReaders>()?.local();
    if readers.is_empty() {
        return Ok(Some(quads));
    }
    for _ in 0..MOST_LOOKS {
        let (shared, hidden) = (Arc::clone(working), quads.clone());
        let covered = tokio::task::spawn_blocking(move || shared.covered(&hidden)).await;
        let covered = covered.map_err(Error::internal)?;
        let sightings = readers.look_again(&covered).await.map_err(|e| JobError::new(e.is_lasting(), e))?;
        let readable = |s: &PlateSighting| s.readings.first().is_some_and(|reading| reading.confidence >= READABLE);
        let is_new = |quad: &Quad| !quads.iter().any(|hidden| contains(hidden, centre(quad)));
        let shown = sightings.iter().filter(|s| readable(s) || s.score >= PLATE);
        let seen: Vec<(bool, Quad)> = shown.map(|s| (readable(s), working.in_photo(&s.quad))).collect();
        let missed: Vec<Quad> = seen.iter().map(|(_, quad)| *quad).filter(is_new).collect();
        if missed.is_empty() {
            let hidden = !seen.iter().any(|(readable, _)| *readable);
            return Ok(hidden.then_some(quads));
        }
        metrics::counter!(crate::MASK_MISSES).increment(missed.len() as u64);
        quads.extend(missed);
    }
    Ok(None)
}

/// The plate reading of a photo has ended.
#[derive(Serialize, Deserialize)]
pub struct ResumeCleaning {
    photo_id: Uuid,
    org_id: Uuid,
}

impl From<PlateRead> for ResumeCleaning {
    fn from(event: PlateRead) -> Self {
        Self { photo_id: event.photo_id, org_id: event.org_id }
    }
}

impl BackgroundJob for ResumeCleaning {
    const NAME: &'static str = "images.resume_cleaning";

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        Ok(service::resume(&app, self.org_id, self.photo_id).await?)
    }
}
