//! Smaller and lighter files of a rendition, for pages and portals.

use std::time::Duration;

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use image::RgbImage;
use keroxio_core::{App, BackgroundJob, Effects, Error, JobError, Priority, Queue, Result};
use keroxio_plugin_sdk::{DecodeLimits, Photo};
use keroxio_storage::MaskingDecision;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::files::{Source, encode_avif, encode_jpeg, encode_webp};
use crate::pixels::working_size;
use crate::render::File;
use crate::service;
use crate::tables::images_variants::{self, dsl};

/// Longer sides, in pixels: a list, an ad on a phone.
const SIDES: [u32; 2] = [640, 1_280];
/// Qualities at which the formats look alike, each on its encoder's own scale.
const JPEG_QUALITY: u8 = 82;
const WEBP_QUALITY: u8 = 78;
const AVIF_QUALITY: u8 = 68;

/// A file of a rendition.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = images_variants)]
pub struct Variant {
    pub object_id: Uuid,
    pub cleaning_id: Uuid,
    /// The rendition.
    pub source_id: Uuid,
    pub media_type: String,
    pub width: i32,
    pub height: i32,
}

/// The files of these cleanings, small ones first.
pub async fn of(app: &App, cleanings: &[Uuid]) -> Result<Vec<Variant>> {
    let mut conn = app.conn().await?;
    Ok(dsl::images_variants
        .filter(dsl::cleaning_id.eq_any(cleanings))
        .order((dsl::width, dsl::media_type))
        .select(Variant::as_select())
        .load(&mut conn)
        .await?)
}

/// Keeps files; those that are kept already stay.
pub async fn keep(conn: &mut AsyncPgConnection, rows: &[Variant]) -> Result<()> {
    diesel::insert_into(dsl::images_variants).values(rows).on_conflict_do_nothing().execute(conn).await?;
    Ok(())
}

/// Forgets the files of a cleaning and answers them.
pub async fn clear(conn: &mut AsyncPgConnection, cleaning: Uuid) -> Result<Vec<Uuid>> {
    let gone = diesel::delete(dsl::images_variants.filter(dsl::cleaning_id.eq(cleaning)));
    Ok(gone.returning(dsl::object_id).get_results(conn).await?)
}

/// Those of these files that belong to another cleaning too: equal pictures are one file.
pub async fn shared(conn: &mut AsyncPgConnection, cleaning: Uuid, files: &[Uuid]) -> Result<Vec<Uuid>> {
    let others = dsl::images_variants.filter(dsl::cleaning_id.ne(cleaning).and(dsl::object_id.eq_any(files)));
    Ok(others.select(dsl::object_id).load(conn).await?)
}

/// Draws the files of the rendition that a cleaning shows.
#[derive(Serialize, Deserialize)]
pub struct DrawVariants {
    pub cleaning_id: Uuid,
    pub org_id: Uuid,
    /// The rendition; another one by now makes this no work.
    pub source_id: Uuid,
}

impl BackgroundJob for DrawVariants {
    const NAME: &'static str = "images.variants";
    const QUEUE: Queue = Queue::Inference;
    const MAX_ATTEMPTS: i32 = 3;
    const TIMEOUT: Duration = Duration::from_secs(60);
    // After every photo that somebody waits for.
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let cleaning = service::get(&app, self.org_id, self.cleaning_id).await?;
        if cleaning.shown() != Some(self.source_id) {
            return Ok(Effects::none());
        }
        let source = keroxio_storage::service::get(&app, self.org_id, self.source_id).await?;
        let decision = source.masking.clone().and_then(|m| serde_json::from_value::<MaskingDecision>(m).ok());
        // A transparent picture is for montage, not for pages.
        let Some(decision) = decision.filter(|_| source.media_type == "image/jpeg") else {
            return Ok(Effects::none());
        };
        let bytes = keroxio_storage::service::read(&app, &source).await?;
        let kind = cleaning.source_of(self.source_id);
        let drawn = tokio::task::spawn_blocking(move || draw(&bytes, kind)).await.map_err(Error::internal)??;
        let mut rows = Vec::with_capacity(drawn.len());
        for file in drawn {
            let (media_type, (width, height)) = (file.media_type, file.size);
            let size = Some((width, height));
            let stored = keroxio_storage::service::put(&app, self.org_id, file.bytes, media_type, size).await?;
            let side = |side: u32| i32::try_from(side).map_err(Error::internal);
            rows.push(Variant {
                object_id: stored.id,
                cleaning_id: cleaning.id,
                source_id: self.source_id,
                media_type: media_type.to_owned(),
                width: side(width)?,
                height: side(height)?,
            });
        }
        service::keep_variants(&app, &cleaning, self.source_id, &rows, &decision).await
    }
}

fn draw(bytes: &[u8], kind: Source) -> Result<Vec<File>> {
    let photo = Photo::decode(bytes, DecodeLimits::default()).map_err(Error::internal)?;
    let longest = photo.width().max(photo.height());
    let mut files = Vec::new();
    for side in SIDES.into_iter().filter(|side| *side < longest) {
        files.extend(formats(&working_size(photo.rgb(), side), kind)?);
    }
    Ok(files)
}

fn formats(picture: &RgbImage, kind: Source) -> Result<Vec<File>> {
    let size = picture.dimensions();
    let file = |bytes, media_type| File { bytes, media_type, size };
    Ok(vec![
        file(encode_avif(picture, AVIF_QUALITY, kind).map_err(Error::internal)?, "image/avif"),
        file(encode_webp(picture, WEBP_QUALITY, kind)?, "image/webp"),
        file(encode_jpeg(picture, JPEG_QUALITY, kind).map_err(Error::internal)?, "image/jpeg"),
    ])
}
