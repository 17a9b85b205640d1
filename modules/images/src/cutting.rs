//! The best cut-out of a photo: other networks and a closer look where the first one is doubtful.

use std::sync::Arc;

use image::{GrayImage, imageops};
use keroxio_core::metrics::inference;
use keroxio_plugin_sdk::geometry::{centre, size};
use keroxio_plugin_sdk::{BackgroundRemover, BackgroundRemovers, Manifest, Matte, Photo, PluginError, Point, Quad};

use crate::verdict::{Grade, Verdict};

/// Room around a plate for its car, in widths of the plate (52 cm): a car of 5 m whose plate is at one end, seen at 60
/// degrees, where the plate shows half its width; and 2 m of height.
const PLATES_WIDE: f32 = 40.0;
const PLATES_HIGH: f32 = 18.0;

/// A cut-out with what it is worth and who made it.
pub struct Cut {
    pub matte: Arc<Matte>,
    pub verdict: Verdict,
    pub manifest: Manifest,
}

/// Asks the removers in their order until one makes a good cut-out, then looks closer around the plate; answers
/// the best of all. `plate` is the car's own plate, in pixels of the photo, where it is surely known.
///
/// # Errors
/// See [`PluginError`]; only when no remover answers at all.
pub async fn cut(removers: &BackgroundRemovers, photo: &Photo, plate: Option<&Quad>) -> Result<Cut, PluginError> {
    let mut best: Option<Cut> = None;
    let mut error = PluginError::ModelUnavailable("no background remover is configured".to_owned());
    let closer = plate.and_then(|plate| around(photo, plate));
    let passes = [Some(None), closer.map(Some)].into_iter().flatten();
    for area in passes {
        for remover in removers.iter() {
            // Without the car's own plate nothing tells a car from any other thing that stands out: who looks for
            // cars and sees none is believed.
            let settled = |cut: &Cut| !cut.verdict.may_improve() || plate.is_none() && cut.verdict.sees_no_car();
            if best.as_ref().is_some_and(settled) {
                break;
            }
            match inference("images", &remover.manifest().id, matte(&**remover, photo, area)).await {
                Ok(matte) => {
                    let fresh = judged(photo, matte, plate.map(centre), remover.manifest().clone()).await?;
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
        }
    }
    best.ok_or(error)
}

async fn judged(photo: &Photo, matte: Matte, plate: Option<Point>, manifest: Manifest) -> Result<Cut, PluginError> {
    let photo = photo.clone();
    let work = move || Cut { verdict: Verdict::of(&photo, &matte, plate), matte: Arc::new(matte), manifest };
    tokio::task::spawn_blocking(work).await.map_err(|e| PluginError::Failed(e.to_string()))
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
    let covers_most = width as f32 * height as f32 > 0.8 * photo.width() as f32 * photo.height() as f32;
    (width >= 64 && height >= 64 && !covers_most).then_some((left, top, width, height))
}

/// The matte of a part of the photo, as a matte of the photo. A car that goes on beyond the part is not found: half a
/// car is none.
async fn matte(remover: &dyn BackgroundRemover, photo: &Photo, area: Option<Area>) -> Result<Matte, PluginError> {
    let Some(area) = area else { return remover.matte(photo).await };
    let whole = photo.clone();
    let part = tokio::task::spawn_blocking(move || {
        let (left, top, width, height) = area;
        Photo::from_rgb(imageops::crop_imm(whole.rgb(), left, top, width, height).to_image())
    });
    let part = part.await.map_err(|e| PluginError::Failed(e.to_string()))?;
    let near = remover.matte(&part).await?;
    Ok(placed(near, (photo.width(), photo.height()), area))
}

fn placed(near: Matte, photo: (u32, u32), (left, top, width, height): Area) -> Matte {
    let scale = f64::from(near.alpha.width()) / f64::from(width);
    let at = |length: u32| (f64::from(length) * scale).round();
    let mut alpha = GrayImage::new(at(photo.0).max(1.0) as u32, at(photo.1).max(1.0) as u32);
    imageops::replace(&mut alpha, &near.alpha, at(left) as i64, at(top) as i64);
    let (last_x, last_y) = (near.alpha.width().saturating_sub(1), near.alpha.height().saturating_sub(1));
    let is_car = |x: u32, y: u32| near.alpha.get_pixel(x, y).0[0] >= 128;
    let cut = left > 0 && (0..=last_y).any(|y| is_car(0, y))
        || left + width < photo.0 && (0..=last_y).any(|y| is_car(last_x, y))
        || top > 0 && (0..=last_x).any(|x| is_car(x, 0))
        || top + height < photo.1 && (0..=last_x).any(|x| is_car(x, last_y));
    let share = width as f32 * height as f32 / (photo.0 as f32 * photo.1 as f32).max(1.0);
    Matte { alpha, coverage: near.coverage * share, found: near.found && !cut, ..near }
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;

    fn near(boxed: (u32, u32, u32, u32)) -> Matte {
        let (left, top, right, bottom) = boxed;
        let inside = |x: u32, y: u32| (left..right).contains(&x) && (top..bottom).contains(&y);
        let alpha = GrayImage::from_fn(100, 50, |x, y| Luma([if inside(x, y) { 255 } else { 0 }]));
        Matte { alpha, coverage: 0.5, confidence: 0.9, found: true }
    }

    #[test]
    fn a_part_is_put_where_it_was() {
        let whole = placed(near((10, 10, 90, 40)), (800, 400), (200, 100, 400, 200));
        assert_eq!(whole.alpha.dimensions(), (200, 100));
        assert_eq!((whole.alpha.get_pixel(60, 35).0[0], whole.alpha.get_pixel(59, 35).0[0]), (255, 0));
        assert!(whole.found && (whole.coverage - 0.125).abs() < 1e-6);
        let corner = placed(near((10, 10, 90, 40)), (800, 400), (0, 0, 400, 200));
        assert_eq!((corner.alpha.get_pixel(10, 10).0[0], corner.alpha.get_pixel(9, 10).0[0]), (255, 0));
    }

    #[test]
    fn half_a_car_is_none() {
        let area = (200, 100, 400, 200);
        for boxed in [(0, 10, 90, 40), (10, 10, 100, 40), (10, 0, 90, 40), (10, 10, 90, 50)] {
            assert!(!placed(near(boxed), (800, 400), area).found, "{boxed:?}");
        }
        assert!(placed(near((0, 10, 90, 40)), (600, 400), (0, 100, 400, 200)).found, "the photo itself ends there");
    }

    #[test]
    fn a_plate_that_fills_the_photo_needs_no_closer_look() {
        let photo = Photo::from_rgb(image::RgbImage::new(800, 600));
        let plate = |left: f32, width: f32| {
            let corners = [(0.0, 0.0), (width, 0.0), (width, width / 5.0), (0.0, width / 5.0)];
            corners.map(|(x, y)| Point { x: left + x, y: 300.0 + y })
        };
        assert_eq!(around(&photo, &plate(300.0, 200.0)), None);
        assert_eq!(around(&photo, &plate(395.0, 10.0)), Some((200, 211, 400, 180)));
    }
}
