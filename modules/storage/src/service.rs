use std::sync::Arc;

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use keroxio_core::{Actor, App, Error, Result, Right, Tx};
use keroxio_plugin_sdk::{DecodeLimits, Photo, PhotoFormat, measure, sniff};
use keroxio_subscription::{Unit, service as plans};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::budget::{HeldPhoto, PixelBudget};
use crate::error;
use crate::jobs::{DeleteFile, EraseFiles};
use crate::jpeg::{self, Stripped};
use crate::model::{self, Object};
use crate::settings::Store;
use crate::signature::Signer;

/// Largest accepted photo, in bytes.
pub const MAX_PHOTO: usize = 25 << 20;
const MIN_SIDE: u32 = 64;

/// Checks, cleans and stores an uploaded photo. The same photo again is not counted again.
///
/// # Errors
/// `PLAN_LIMIT_REACHED`, and whatever is wrong with the photo.
pub async fn upload(app: &App, actor: &Actor, bytes: Vec<u8>) -> Result<Object> {
    actor.may(Right::Stock)?;
    let org = actor.org_id;
    let clean = checked(app, bytes).await?;
    // Looked at before the file is written, which would stay behind; decided with the row.
    plans::check(app, org, Unit::Photos, &clean.sha256).await?;
    let kind = PhotoFormat::Jpeg.media_type();
    let object = write(app, org, clean.bytes, clean.sha256, kind, Some(clean.size)).await?;
    let mut tx = app.begin().await?;
    plans::count(&mut tx, org, Unit::Photos, &object.sha256).await?;
    let object = model::upsert(&mut tx, &object).await?;
    tx.commit().await?;
    Ok(object)
}

/// [`upload`] of a photo that is to be looked at once and [`remove`]d: it is no other object of the same content.
pub async fn upload_once(app: &App, actor: &Actor, bytes: Vec<u8>) -> Result<Object> {
    let clean = checked(app, bytes).await?;
    let own = hash(Uuid::new_v4().as_bytes());
    model::note_passing(&mut *app.conn().await?, &key_of(actor.org_id, &own), app.now()).await?;
    put_hashed(app, actor.org_id, clean.bytes, own, PhotoFormat::Jpeg.media_type(), Some(clean.size)).await
}

/// Forgets an object that [`upload_once`] stored; its file goes once that is committed.
pub async fn remove(tx: &mut Tx, org: Uuid, id: Uuid) -> Result<()> {
    if let Some(key) = model::delete(tx, org, id).await? {
        tx.enqueue(&DeleteFile { key }).await?;
    }
    Ok(())
}

/// The objects of the organization the work is done for, the newest first.
pub async fn all_of_tenant(app: &App) -> Result<Vec<Object>> {
    Ok(model::all_visible(&mut *app.conn().await?).await?)
}

/// Deletes every file of an organization that is erased.
pub async fn erase(tx: &mut Tx, org: Uuid) -> Result<()> {
    tx.enqueue(&EraseFiles { organization: org }).await?;
    Ok(())
}

async fn checked(app: &App, bytes: Vec<u8>) -> Result<CleanPhoto> {
    if bytes.len() > MAX_PHOTO {
        return Err(error::too_large());
    }
    let announced = measure(&bytes, DecodeLimits::default()).map_err(error::of_photo)?;
    let budget = app.get::<PixelBudget>()?;
    let share = Arc::new(budget.reserve(announced).await?);
    // The share moves along: a request that is broken off must not make room before its decoding ends.
    let work = move || clean(bytes).map(|clean| (clean, share));
    let (clean, share) = tokio::task::spawn_blocking(work).await.map_err(Error::internal)??;
    let mut clean = clean;
    if let Some(photo) = clean.photo.take() {
        // A worker in this process is about to want it.
        budget.keep(&clean.sha256, &HeldPhoto { photo, _share: share });
    }
    Ok(clean)
}

/// A proved JPEG without metadata.
struct CleanPhoto {
    bytes: Vec<u8>,
    sha256: String,
    size: (u32, u32),
    /// Its pixels, unless it was encoded again and they are other ones now.
    photo: Option<Photo>,
}

/// Decodes the whole photo, which proves it, and removes its metadata.
fn clean(bytes: Vec<u8>) -> Result<CleanPhoto> {
    let format = sniff(&bytes).map_err(error::of_photo)?;
    let photo = Photo::decode(&bytes, DecodeLimits::default()).map_err(error::of_photo)?;
    if photo.width() < MIN_SIDE || photo.height() < MIN_SIDE {
        return Err(error::too_small());
    }
    let size = (photo.width(), photo.height());
    if format == PhotoFormat::Jpeg {
        if !jpeg::is_complete(&bytes) {
            return Err(error::of_photo(keroxio_plugin_sdk::PhotoError::Damaged));
        }
        if let Stripped::Clean(clean) = jpeg::strip(&bytes) {
            return Ok(CleanPhoto { sha256: hash(&clean), bytes: clean, size, photo: Some(photo) });
        }
    }
    let bytes = encode(&photo)?;
    Ok(CleanPhoto { sha256: hash(&bytes), bytes, size, photo: None })
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A photo as a JPEG file of high quality, without metadata.
///
/// # Errors
/// `INTERNAL` for a side above 65,535 pixels.
pub fn encode(photo: &Photo) -> Result<Vec<u8>> {
    let too_big = |_| Error::internal(anyhow::anyhow!("a side above 65,535 pixels"));
    let width = u16::try_from(photo.width()).map_err(too_big)?;
    let height = u16::try_from(photo.height()).map_err(too_big)?;
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, 95);
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    encoder.encode(photo.rgb().as_raw(), width, height, ColorType::Rgb).map_err(Error::internal)?;
    Ok(out)
}

/// Stores bytes; the same content of the same organization is stored once.
pub async fn put(
    app: &App,
    org: Uuid,
    bytes: Vec<u8>,
    media_type: &'static str,
    size: Option<(u32, u32)>,
) -> Result<Object> {
    let sha256 = hash(&bytes);
    put_hashed(app, org, bytes, sha256, media_type, size).await
}

/// [`put`] of bytes that are made for one download: they are no other object of the same content, and are gone the day
/// after.
pub async fn put_once(app: &App, org: Uuid, bytes: Vec<u8>, media_type: &'static str) -> Result<Object> {
    let own = hash(Uuid::new_v4().as_bytes());
    model::note_passing(&mut *app.conn().await?, &key_of(org, &own), app.now()).await?;
    put_hashed(app, org, bytes, own, media_type, None).await
}

fn key_of(org: Uuid, sha256: &str) -> String {
    format!("{org}/{}/{sha256}", sha256.get(..2).unwrap_or_default())
}

/// [`put`] for bytes whose hash is known already.
async fn put_hashed(
    app: &App,
    org: Uuid,
    bytes: Vec<u8>,
    sha256: String,
    media_type: &'static str,
    size: Option<(u32, u32)>,
) -> Result<Object> {
    let object = write(app, org, bytes, sha256, media_type, size).await?;
    Ok(model::upsert(&mut *app.conn().await?, &object).await?)
}

/// Writes the file of an object, whose row is the caller's to write.
async fn write(
    app: &App,
    org: Uuid,
    bytes: Vec<u8>,
    sha256: String,
    media_type: &'static str,
    size: Option<(u32, u32)>,
) -> Result<Object> {
    let key = key_of(org, &sha256);
    let side = |side: u32| i32::try_from(side).ok();
    let object = Object {
        id: Uuid::now_v7(),
        org_id: org,
        key,
        media_type: media_type.to_owned(),
        bytes: i64::try_from(bytes.len()).map_err(Error::internal)?,
        width: size.and_then(|(w, _)| side(w)),
        height: size.and_then(|(_, h)| side(h)),
        sha256,
        created_at: app.now(),
        public_key: None,
        masking: None,
    };
    // The file first: a row must never point to nothing. A file without a row is found again by its content.
    let store: Store = app.get()?;
    store.0.write(&object.key, bytes).await.map_err(|e| Error::unavailable(anyhow::anyhow!("storage: {e}")))?;
    Ok(object)
}

pub async fn get(app: &App, org: Uuid, id: Uuid) -> Result<Object> {
    require(app, org, &[id]).await?.pop().ok_or_else(error::not_found)
}

/// All of them, or `NOT_FOUND`.
pub async fn require(app: &App, org: Uuid, ids: &[Uuid]) -> Result<Vec<Object>> {
    let mut conn = app.conn().await?;
    let found = model::find(&mut conn, org, ids).await?;
    if ids.iter().all(|id| found.iter().any(|object| object.id == *id)) { Ok(found) } else { Err(error::not_found()) }
}

/// [`require`], of photos: archives, tables and cut-outs are none.
pub async fn require_photos(app: &App, org: Uuid, ids: &[Uuid]) -> Result<()> {
    let photo = PhotoFormat::Jpeg.media_type();
    let objects = require(app, org, ids).await?;
    if objects.iter().all(|object| object.media_type == photo) { Ok(()) } else { Err(error::not_found()) }
}

pub async fn read(app: &App, object: &Object) -> Result<Vec<u8>> {
    let store: Store = app.get()?;
    let bytes = store.0.read(&object.key).await.map_err(|e| Error::unavailable(anyhow::anyhow!("storage: {e}")))?;
    Ok(bytes.to_vec())
}

/// A stored photo, decoded as soon as the pixel budget has room for it.
pub async fn photo(app: &App, org: Uuid, id: Uuid) -> Result<HeldPhoto> {
    let object = get(app, org, id).await?;
    let budget = app.get::<PixelBudget>()?;
    if let Some(kept) = budget.kept(&object.sha256) {
        return Ok(kept);
    }
    let bytes = read(app, &object).await?;
    let announced = measure(&bytes, DecodeLimits::default()).map_err(error::of_photo)?;
    let share = Arc::new(budget.reserve(announced).await?);
    let decoded = tokio::task::spawn_blocking(move || {
        Ok(HeldPhoto { photo: Photo::decode(&bytes, DecodeLimits::default())?, _share: share })
    });
    let held = decoded.await.map_err(Error::internal)?.map_err(error::of_photo)?;
    budget.keep(&object.sha256, &held);
    Ok(held)
}

/// The address of a private file, for the screen of its owner: who has it may open it for the next hour.
pub fn signed_url(app: &App, object: &Object) -> Result<String> {
    Ok(app.get::<Signer>()?.url(object.id, app.now()))
}

pub(crate) async fn signed(app: &App, id: Uuid, expires: i64, signature: &str) -> Result<Object> {
    if !app.get::<Signer>()?.verify(id, expires, signature, app.now()) {
        return Err(error::not_found());
    }
    let mut conn = app.conn().await?;
    model::find_signed(&mut conn, id).await?.ok_or_else(error::not_found)
}
