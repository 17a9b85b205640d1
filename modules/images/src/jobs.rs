use std::sync::Arc;
use std::time::{Duration, Instant};

use image::GrayImage;
use keroxio_core::{App, BackgroundJob, Effects, Error, GivenUp, JobError, Queue};
use keroxio_plates::events::PlateRead;
use keroxio_plugin_sdk::{BackgroundRemover, Matte, Photo, Quad};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{compose, service};

/// Longer side of a rendition, in pixels.
const MAX_SIDE: u32 = 2_048;
const QUALITY: u8 = 88;

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
        let quads = reading.quads();
        cleaning.plates_masked = i32::try_from(quads.len()).ok();
        let renditions =
            tokio::task::spawn_blocking(move || render(&photo, &matte, &quads)).await.map_err(Error::internal)??;
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

struct Renditions {
    masked: Vec<u8>,
    cleaned: Option<Vec<u8>>,
    size: (u32, u32),
}

fn render(photo: &Photo, matte: &Matte, quads: &[Quad]) -> Result<Renditions, Error> {
    let mut masked = compose::working_size(photo.rgb(), MAX_SIDE);
    let scale = masked.width() as f32 / photo.width().max(1) as f32;
    let quads: Vec<[(f32, f32); 4]> = quads.iter().map(|quad| quad.map(|p| (p.x * scale, p.y * scale))).collect();
    let cleaned = if matte.found {
        let alpha = resized(&matte.alpha, masked.width(), masked.height())?;
        let mut studio = compose::studio(&masked, &alpha);
        compose::mask_quads(&mut studio, &quads);
        Some(compose::encode_jpeg(&studio, QUALITY).map_err(Error::internal)?)
    } else {
        None
    };
    compose::mask_quads(&mut masked, &quads);
    let size = masked.dimensions();
    Ok(Renditions { masked: compose::encode_jpeg(&masked, QUALITY).map_err(Error::internal)?, cleaned, size })
}

fn resized(alpha: &GrayImage, width: u32, height: u32) -> Result<GrayImage, Error> {
    if alpha.dimensions() == (width, height) {
        return Ok(alpha.clone());
    }
    let mut out = GrayImage::new(width, height);
    fast_image_resize::Resizer::new().resize(alpha, &mut out, None).map_err(Error::internal)?;
    Ok(out)
}
