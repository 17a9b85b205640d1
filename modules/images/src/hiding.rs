//! What must not be seen on a rendition.

use std::sync::Arc;
use std::time::Instant;

use image::RgbImage;
use keroxio_core::{App, Error, JobError};
use keroxio_plugin_sdk::geometry::{centre, contains};
use keroxio_plugin_sdk::{Face, FaceFinder, Matte, Photo, PlateReaders, PlateSighting, PluginError, Quad, Rectangle};

use crate::render::Working;
use crate::stage::Outline;

/// A plate that a reader reads this surely is not hidden; nor is what this surely is one, read or not. Less would
/// cover lamps and badges.
const READABLE: f32 = 0.3;
const PLATE: f32 = 0.75;
/// What is this surely a face is blurred. Round lamps and wheels look a little like one, so more is asked on the car.
const FACE: f32 = 0.2;
const FACE_ON_CAR: f32 = 0.45;
/// Share of the car's height, from its lowest point, above which faces are looked for; and rows of a picture that are
/// too few to leave any out.
const SILLS: f32 = 0.3;
const LEAST_ROWS: u32 = 100;
/// How often renditions are looked at before the photo is given up.
const MOST_LOOKS: usize = 3;

/// Covers the plates and lets the readers of this machine look again: what is still seen is covered too. Answers all
/// that has to be hidden; nothing when one stays readable. Looked at is an even cover, whatever the style: an inlay
/// carries a text of its own.
pub(crate) async fn plates(
    app: &App,
    working: &Arc<Working>,
    mut quads: Vec<Quad>,
) -> Result<Option<Vec<Quad>>, JobError> {
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

/// The faces to be blurred, in pixels of the picture; `matte` is its car, where there is one that is shown. None are
/// looked for where the operator does not want it.
///
/// # Errors
/// See [`PluginError`].
pub(crate) async fn faces(app: &App, picture: &Photo, matte: Option<&Matte>) -> Result<Vec<Rectangle>, PluginError> {
    let Ok(finder) = app.get::<Arc<dyn FaceFinder>>() else { return Ok(Vec::new()) };
    let begun = Instant::now();
    let upper = matte.map_or_else(|| picture.clone(), |matte| upper_part(picture, matte));
    let found = finder.faces(&upper).await?;
    keroxio_core::metrics::inference("faces", &finder.manifest().id, begun.elapsed().as_secs_f64());
    let is_on_car = |area: &Rectangle| {
        let Some(matte) = matte else { return false };
        let place =
            |at: f32, all: u32, own: u32| ((at / all as f32 * own as f32).max(0.0) as u32).min(own.saturating_sub(1));
        let x = place(area.left + area.width / 2.0, picture.width(), matte.alpha.width());
        let y = place(area.top + area.height / 2.0, picture.height(), matte.alpha.height());
        matte.found && matte.alpha.get_pixel_checked(x, y).is_some_and(|alpha| alpha.0[0] >= 128)
    };
    let is_face = |face: &&Face| face.score >= if is_on_car(&face.area) { FACE_ON_CAR } else { FACE };
    Ok(found.iter().filter(is_face).map(|face| face.area).collect())
}

/// The part of a picture where the faces are of who stands or sits near the car: all above its sills. Most of the work
/// of looking for faces is in the number of places.
pub fn upper_part(picture: &Photo, matte: &Matte) -> Photo {
    let outline = Outline::of(&matte.alpha).filter(|_| matte.found);
    let Some(outline) = outline else { return picture.clone() };
    let sills = outline.bottom - SILLS * (outline.bottom - outline.top);
    let rows = (sills / matte.alpha.height() as f32 * picture.height() as f32) as u32;
    if rows < LEAST_ROWS || rows >= picture.height() {
        return picture.clone();
    }
    let bytes = picture.rgb().as_raw().get(..3 * picture.width() as usize * rows as usize).unwrap_or_default();
    match RgbImage::from_raw(picture.width(), rows, bytes.to_vec()) {
        Some(upper) => Photo::from_rgb(upper),
        None => picture.clone(),
    }
}
