//! What must not be seen on a rendition.

use std::sync::Arc;

use keroxio_core::metrics::inference;
use keroxio_core::{App, Error, JobError};
use keroxio_plugin_sdk::geometry::{centre, contains};
use keroxio_plugin_sdk::{Face, FaceFinder, Matte, Photo, PlateReaders, PlateSighting, PluginError, Quad, Rectangle};

use crate::render::Working;

/// A plate that a reader reads this surely is not hidden; nor is what this surely is one, read or not. Less would
/// cover lamps and badges.
const READABLE: f32 = 0.3;
const PLATE: f32 = 0.75;
/// What is this surely a face is blurred. Round lamps and wheels look a little like one, so more is asked on the car.
const FACE: f32 = 0.2;
const FACE_ON_CAR: f32 = 0.45;
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

/// The faces to be blurred, in pixels of the picture; `matte` is its car, where there is one that is shown. None
/// where they are not looked for, because the operator does not want it.
///
/// # Errors
/// See [`PluginError`].
pub(crate) async fn faces(
    app: &App,
    picture: &Photo,
    matte: Option<&Matte>,
) -> Result<Option<Vec<Rectangle>>, PluginError> {
    let Ok(finder) = app.get::<Arc<dyn FaceFinder>>() else { return Ok(None) };
    let found = inference("faces", &finder.manifest().id, finder.faces(picture)).await?;
    let is_face = |face: &&Face| face.score >= least_score(&face.area, picture, matte);
    Ok(Some(found.iter().filter(is_face).map(|face| face.area).collect()))
}

/// How surely something must be a face to be blurred.
fn least_score(area: &Rectangle, picture: &Photo, matte: Option<&Matte>) -> f32 {
    let is_on_car = matte.is_some_and(|matte| is_cut_out(area, picture, matte));
    if is_on_car { FACE_ON_CAR } else { FACE }
}

/// Whether the middle of an area of the picture is cut out with the car.
pub(crate) fn is_cut_out(area: &Rectangle, picture: &Photo, matte: &Matte) -> bool {
    let (wide, high) = matte.alpha.dimensions();
    let x = (area.left + area.width / 2.0) / picture.width() as f32 * wide as f32;
    let y = (area.top + area.height / 2.0) / picture.height() as f32 * high as f32;
    let inside = |at: f32, side: u32| (at.max(0.0) as u32).min(side.saturating_sub(1));
    let alpha = matte.alpha.get_pixel_checked(inside(x, wide), inside(y, high));
    matte.found && alpha.is_some_and(|alpha| alpha.0[0] >= 128)
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma, RgbImage};

    use super::*;

    /// A car on the right half of a picture twice as large as its matte.
    fn car() -> (Photo, Matte) {
        let alpha = GrayImage::from_fn(100, 60, |x, _| Luma([if x >= 50 { 255 } else { 0 }]));
        (Photo::from_rgb(RgbImage::new(200, 120)), Matte { alpha, coverage: 0.5, confidence: 1.0, found: true })
    }

    fn face_at(left: f32, top: f32) -> Rectangle {
        Rectangle { left, top, width: 20.0, height: 20.0 }
    }

    #[test]
    fn more_is_asked_of_a_face_on_the_car_wherever_it_is() {
        let (picture, matte) = car();
        assert_eq!(least_score(&face_at(20.0, 20.0), &picture, Some(&matte)), FACE, "beside it");
        assert_eq!(least_score(&face_at(20.0, 100.0), &picture, Some(&matte)), FACE, "crouching beside it");
        assert_eq!(least_score(&face_at(120.0, 20.0), &picture, Some(&matte)), FACE_ON_CAR, "on it");
        assert_eq!(least_score(&face_at(195.0, 115.0), &picture, Some(&matte)), FACE_ON_CAR, "half out of the picture");
        assert_eq!(least_score(&face_at(-30.0, -30.0), &picture, Some(&matte)), FACE, "out of it");
    }

    #[test]
    fn without_a_car_any_face_is_one() {
        let (picture, mut matte) = car();
        assert_eq!(least_score(&face_at(120.0, 20.0), &picture, None), FACE);
        matte.found = false;
        assert_eq!(least_score(&face_at(120.0, 20.0), &picture, Some(&matte)), FACE);
    }
}
