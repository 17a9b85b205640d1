//! The best cut-out of a photo: other networks and a closer look where the first one is doubtful.

use std::sync::Arc;
use std::time::Instant;

use image::{GrayImage, imageops};
use keroxio_plugin_sdk::geometry::{centre, size};
use keroxio_plugin_sdk::{BackgroundRemovers, Manifest, Matte, Photo, PluginError, Quad};

use crate::verdict::{Grade, Verdict};

/// A car is at most this many plates (of 52 cm) wide and high, wheels and mirrors included: 5 m and 2 m, and the
/// plate may be at one of its ends.
const PLATES_WIDE: f32 = 14.0;
const PLATES_HIGH: f32 = 9.0;

/// A cut-out with what it is worth and who made it.
pub struct Cut {
    pub matte: Arc<Matte>,
    pub verdict: Verdict,
    pub manifest: Manifest,
}

/// Asks the removers in their order until one makes a good cut-out, then looks closer around the plate; answers
/// the best of all. `plate` is the car's own plate, in pixels of the photo.
///
/// # Errors
/// See [`PluginError`]; only when no remover answers at all.
pub async fn cut(removers: &BackgroundRemovers, photo: &Photo, plate: Option<&Quad>) -> Result<Cut, PluginError> {
    let mut best: Option<Cut> = None;
    let mut error = PluginError::ModelUnavailable("no background remover is configured".to_owned());
    let areas = [None, plate.and_then(|plate| around(photo, plate))];
    for (pass, area) in areas.iter().enumerate() {
        if pass > 0 && area.is_none() {
            break;
        }
        for remover in removers.iter() {
            let begun = Instant::now();
            match matte(&**remover, photo, *area).await {
                Ok(matte) => {
                    keroxio_core::metrics::inference("images", &remover.manifest().id, begun.elapsed().as_secs_f64());
                    let verdict = Verdict::of(photo, &matte, plate.map(centre));
                    let fresh = Cut { matte: Arc::new(matte), verdict, manifest: remover.manifest().clone() };
                    best = Some(match best {
                        Some(before) if rank(&before) >= rank(&fresh) => before,
                        _ => fresh,
                    });
                }
                Err(e) => {
                    tracing::warn!(remover = remover.manifest().id, error = %e, "a background remover failed");
                    error = e;
                }
            }
            if best.as_ref().is_some_and(|cut| !cut.verdict.may_improve()) {
                break;
            }
        }
        if best.as_ref().is_some_and(|cut| !cut.verdict.may_improve()) {
            break;
        }
    }
    best.ok_or(error)
}

/// What makes one cut-out better than another: its grade, then few remarks.
fn rank(cut: &Cut) -> (Grade, std::cmp::Reverse<usize>) {
    (cut.verdict.grade, std::cmp::Reverse(cut.verdict.remarks.len()))
}

/// A rectangle of a photo: left, top, width, height.
type Area = (u32, u32, u32, u32);

/// What a car with this plate may cover, unless that is nearly all of the photo.
fn around(photo: &Photo, plate: &Quad) -> Option<Area> {
    let (middle, (wide, _)) = (centre(plate), size(plate));
    let reach = |middle: f32, half: f32, length: u32| {
        let from = (middle - half).clamp(0.0, length as f32) as u32;
        let to = (middle + half).clamp(0.0, length as f32) as u32;
        (from, to.saturating_sub(from))
    };
    let (left, width) = reach(middle.x, PLATES_WIDE / 2.0 * wide, photo.width());
    let (top, height) = reach(middle.y, PLATES_HIGH / 2.0 * wide, photo.height());
    let covers_most = width as f32 * height as f32 > 0.8 * (photo.width() * photo.height()) as f32;
    (width >= 64 && height >= 64 && !covers_most).then_some((left, top, width, height))
}

/// The matte of a part of the photo, as a matte of the photo.
async fn matte(
    remover: &dyn keroxio_plugin_sdk::BackgroundRemover,
    photo: &Photo,
    area: Option<Area>,
) -> Result<Matte, PluginError> {
    let Some((left, top, width, height)) = area else { return remover.matte(photo).await };
    let part = Photo::from_rgb(imageops::crop_imm(photo.rgb(), left, top, width, height).to_image());
    let near = remover.matte(&part).await?;
    let scale = f64::from(near.alpha.width()) / f64::from(width);
    let side = |length: u32| (f64::from(length) * scale).round().max(1.0) as u32;
    let mut alpha = GrayImage::new(side(photo.width()), side(photo.height()));
    imageops::replace(&mut alpha, &near.alpha, side(left).into(), side(top).into());
    let share = (width * height) as f32 / (photo.width() * photo.height()).max(1) as f32;
    Ok(Matte { alpha, coverage: near.coverage * share, ..near })
}
