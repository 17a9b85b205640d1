use std::sync::Arc;
use std::time::{Duration, Instant};

use keroxio_core::{App, BackgroundJob, Effects, Error, GivenUp, JobError, Queue};
use keroxio_plates::events::PlateRead;
use keroxio_plugin_sdk::geometry::{centre, contains};
use keroxio_plugin_sdk::{BackgroundRemover, Matte, Photo, PlateReaders, PlateSighting, Quad};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::render::Drawn;
use crate::service;

/// A plate that a reader reads this surely is not hidden; nor is what this surely is one, read or not. Less would
/// cover lamps and badges.
const READABLE: f32 = 0.3;
const PLATE: f32 = 0.75;
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
        let remover: Arc<dyn BackgroundRemover> = app.get()?;
        let photo = keroxio_storage::service::photo(&app, org, cleaning.photo_id).await?;
        let started = Instant::now();
        let matte = remover.matte(&photo).await.map_err(|e| JobError::new(e.is_lasting(), e))?;
        keroxio_core::metrics::inference("images", &remover.manifest().id, started.elapsed().as_secs_f64());
        (cleaning.car_found, cleaning.coverage, cleaning.confidence) =
            (Some(matte.found), Some(matte.coverage), Some(matte.confidence));
        let drawn = draw_until_hidden(&app, &photo, matte, reading.quads()).await?;
        let Some((drawn, hidden)) = drawn else {
            return Ok(service::fail(&app, cleaning.id, "PLATES_NOT_HIDDEN").await?);
        };
        cleaning.plates_masked = i32::try_from(hidden).ok();
        let renditions = tokio::task::spawn_blocking(move || drawn.encode()).await.map_err(Error::internal)??;
        let size = Some(renditions.size);
        let put = async |bytes| keroxio_storage::service::put(&app, org, bytes, "image/jpeg", size).await;
        cleaning.masked_object = Some(put(renditions.masked).await?.id);
        cleaning.cleaned_object = match renditions.cleaned {
            Some(bytes) => Some(put(bytes).await?.id),
            None => None,
        };
        cleaning.manifest = serde_json::to_value(remover.manifest()).ok();
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

/// Draws the renditions and lets the readers of this machine look at them again: plates that are not hidden yet are
/// hidden too. Answers how many are; nothing when one stays readable.
async fn draw_until_hidden(
    app: &App,
    photo: &Photo,
    matte: Matte,
    mut quads: Vec<Quad>,
) -> Result<Option<(Drawn, usize)>, JobError> {
    let readers = app.get::<PlateReaders>()?.local();
    let matte = Arc::new(matte);
    for _ in 0..MOST_LOOKS {
        let (copy, shared, hidden) = (photo.clone(), Arc::clone(&matte), quads.clone());
        let drawn = tokio::task::spawn_blocking(move || Drawn::of(&copy, &shared, &hidden)).await;
        let drawn = drawn.map_err(Error::internal)??;
        if readers.is_empty() {
            return Ok(Some((drawn, quads.len())));
        }
        let answer = readers.read(&drawn.masked()).await.map_err(|e| JobError::new(e.is_lasting(), e))?;
        let readable = |s: &PlateSighting| s.readings.first().is_some_and(|reading| reading.confidence >= READABLE);
        let is_new = |quad: &Quad| !quads.iter().any(|hidden| contains(hidden, centre(quad)));
        let shown = answer.sightings.iter().filter(|s| readable(s) || s.score >= PLATE);
        let seen: Vec<(bool, Quad)> = shown.map(|s| (readable(s), drawn.in_photo(&s.quad))).collect();
        let missed: Vec<Quad> = seen.iter().map(|(_, quad)| *quad).filter(is_new).collect();
        if missed.is_empty() {
            let hidden = !seen.iter().any(|(readable, _)| *readable);
            return Ok(hidden.then_some((drawn, quads.len())));
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
