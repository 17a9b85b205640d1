use std::sync::Arc;
use std::time::Duration;

use keroxio_core::{App, BackgroundJob, Effects, Error, GivenUp, JobError, Queue};
use keroxio_plates::Reading;
use keroxio_plates::events::PlateRead;
use keroxio_plugin_sdk::geometry::size;
use keroxio_plugin_sdk::{BackgroundRemovers, Photo, Quad, Rectangle};
use keroxio_storage::MaskingDecision;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::cutting::{self, Cut};
use crate::look::Look;
use crate::model::Cleaning;
use crate::render::{Drawn, File, Working};
use crate::stage::Part;
use crate::verdict::{Grade, Remark};
use crate::{angles, hiding, service};

/// Width of the car's own plate at least, as a share of the photo's longer side.
const OWN_PLATE: f32 = 0.035;
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
        let mut cut = cutting::cut(&removers, &photo, own).await.map_err(|e| JobError::new(e.is_lasting(), e))?;
        let matte = (cut.verdict.grade > Grade::Rejected).then(|| Arc::clone(&cut.matte));
        angles::tell(&app, &mut cleaning, &photo, &cut.matte).await;
        let working = {
            let photo = photo.clone();
            tokio::task::spawn_blocking(move || Working::of(&photo)).await.map_err(Error::internal)?
        };
        // From here on, a quarter of the pixels is enough.
        drop(photo);
        let working = Arc::new(working);
        let Some(hidden) = hiding::plates(&app, &working, quads).await? else {
            return Ok(service::fail(&app, cleaning.id, "PLATES_NOT_HIDDEN").await?);
        };
        // A rejected cut-out is not the car: it must not say where faces can be.
        let faces = hiding::faces(&app, working.picture(), matte.as_deref()).await;
        let faces = faces.map_err(|e| JobError::new(e.is_lasting(), e))?;
        let is_shown =
            |face: &Rectangle| matte.as_ref().is_some_and(|matte| hiding::is_cut_out(face, working.picture(), matte));
        if faces.iter().flatten().any(is_shown) {
            cut.verdict.add(Remark::PersonInView);
        }
        record(&mut cleaning, &cut);
        cleaning.plates_masked = i32::try_from(hidden.len()).ok();
        cleaning.faces_blurred = faces.as_ref().and_then(|faces| i32::try_from(faces.len()).ok());
        let decision = MaskingDecision {
            cleaning_id: cleaning.id,
            plates_hidden: hidden.len() as u32,
            faces_blurred: faces.as_ref().map(|faces| faces.len() as u32),
            decided_at: app.now(),
        };
        let style = Look::stored(&cleaning.style).style(&app, org).await?;
        let faces = faces.unwrap_or_default();
        let draw = move || Drawn::of(&working, matte.as_deref(), &hidden, &faces, &style).encode();
        let renditions = tokio::task::spawn_blocking(draw).await.map_err(Error::internal)??;
        let put = async |file: File| {
            keroxio_storage::service::put(&app, org, file.bytes, file.media_type, Some(file.size)).await
        };
        cleaning.framed = Some(renditions.part.is_some_and(|part| part != Part::WHOLE));
        cleaning.frame = renditions.part.and_then(|part| serde_json::to_value(part).ok());
        cleaning.masked_object = Some(put(renditions.masked).await?.id);
        cleaning.cleaned_object = match renditions.cleaned {
            Some(file) => Some(put(file).await?.id),
            None => None,
        };
        cleaning.manifest = serde_json::to_value(&cut.manifest).ok();
        cleaning.state = "done".to_owned();
        Ok(service::finish(&app, cleaning, Some(&decision)).await?)
    }

    async fn gave_up(self, app: App, why: GivenUp) -> keroxio_core::Result<Effects> {
        match why {
            GivenUp::Failed(_) => service::fail(&app, self.cleaning_id, "PHOTO_CLEANING_FAILED").await,
            GivenUp::Cancelled => service::call_off(&app, self.cleaning_id, "PHOTO_CLEANING_CANCELLED").await,
        }
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
