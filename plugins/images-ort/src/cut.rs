use image::GrayImage;
use keroxio_plugin_sdk::{Matte, Photo, PluginError};

use crate::blobs::{bounds, solid, tidy};
use crate::net::Net;
use crate::plane::Plane;

/// Longer side, in pixels, at which the outline is worked out.
const WORK_SIDE: f64 = 512.0;
/// A car whose rectangle covers less than this share of the photo is looked at a second time, closer: more pixels
/// make its outline exact. (Redrawing it along edges of the luminance, as guided filters do, made it worse on every
/// setting tried: dark tyres melt into their shadow, windows into the sky.)
const SMALL_CAR: f32 = 0.6;
/// Room around the car for the second look, as a share of its width and height, and the least side of what is looked
/// at, in pixels of the photo.
const ROOM: f64 = 0.25;
const LEAST_SIDE: f64 = 160.0;
/// Share of the second look where both agree on what the car is, which is at least this overlap.
const NEAR_SHARE: f32 = 0.7;
const AGREEMENT: f32 = 0.6;
/// A smaller car is not seen at all.
const LEAST_COVERAGE: f32 = 0.004;
/// Less decided mattes were rarely cars on photos without a main one; see the README for the figures.
const LEAST_CONFIDENCE: f32 = 0.65;

/// A rectangle of a photo: left, top, width, height, in pixels.
type Area = (f64, f64, f64, f64);

/// The matte of the main car; blocking, one thread.
///
/// # Errors
/// [`PluginError::Failed`] when the runtime fails.
pub fn matte(net: &Net, photo: &Photo) -> Result<Matte, PluginError> {
    let whole = (0.0, 0.0, f64::from(photo.width()), f64::from(photo.height()));
    let scale = (WORK_SIDE / whole.2.max(whole.3)).min(1.0);
    let width = (whole.2 * scale).round().max(1.0) as usize;
    let height = (whole.3 * scale).round().max(1.0) as usize;
    let first = tidy(&net.probability(photo, whole)?.resized(width, height)?);
    let soft = match closer(&first, (photo.width(), photo.height()), scale) {
        Some(area) => tidy(&second_look(net, photo, first, area, scale)?),
        None => first,
    };
    let coverage = share(&soft);
    let confidence = decidedness(&soft);
    let bytes: Vec<u8> = solid(&soft).values.iter().map(|value| alpha(*value)).collect();
    let alpha = GrayImage::from_raw(width as u32, height as u32, bytes)
        .ok_or_else(|| PluginError::Failed("size of the matte".to_owned()))?;
    let found = coverage >= LEAST_COVERAGE && confidence >= LEAST_CONFIDENCE;
    Ok(Matte { alpha, coverage, confidence, found })
}

/// Steeper than the network's answer, so that the inside is fully car and the outside fully not.
fn alpha(value: f32) -> u8 {
    (((value - 0.1) / 0.8).clamp(0.0, 1.0) * 255.0).round() as u8
}

fn share(soft: &Plane) -> f32 {
    let car = soft.values.iter().filter(|v| **v >= 0.5).count();
    car as f32 / soft.values.len().max(1) as f32
}

/// Mean distance of the probability from one half (0 to 1) over the car and its near surroundings.
fn decidedness(soft: &Plane) -> f32 {
    let car = soft.with(soft, |v, _| f32::from(u8::from(v >= 0.5)));
    let near = car.blurred(soft.width.max(soft.height).div_ceil(24));
    let (mut sum, mut count) = (0.0_f64, 0_u32);
    for (value, near) in soft.values.iter().zip(&near.values) {
        if *near > 0.0 {
            sum += f64::from((2.0 * value - 1.0).abs());
            count += 1;
        }
    }
    if count == 0 { 0.0 } else { (sum / f64::from(count)) as f32 }
}

/// What to look at closer, in pixels of the photo, for a car that leaves much of the photo free.
fn closer(soft: &Plane, photo: (u32, u32), scale: f64) -> Option<Area> {
    let (left, top, right, bottom) = bounds(soft)?;
    let (width, height) = ((right - left) as f64, (bottom - top) as f64);
    if (width * height) as f32 / soft.values.len() as f32 >= SMALL_CAR {
        return None;
    }
    let reach = |from: usize, length: f64, all: u32| {
        let most = f64::from(all);
        let wanted = ((1.0 + 2.0 * ROOM) * length / scale).max(LEAST_SIDE).min(most);
        let middle = (from as f64 + length / 2.0) / scale;
        ((middle - wanted / 2.0).clamp(0.0, most - wanted), wanted)
    };
    let ((x, width), (y, height)) = (reach(left, width, photo.0), reach(top, height, photo.1));
    Some((x, y, width, height))
}

/// Inside the area mostly the closer look, where it means the same car; outside it the first alone.
fn second_look(net: &Net, photo: &Photo, mut first: Plane, area: Area, scale: f64) -> Result<Plane, PluginError> {
    let place = |at: f64, most: usize| ((at * scale).round().max(0.0) as usize).min(most);
    let (left, right) = (place(area.0, first.width), place(area.0 + area.2, first.width));
    let (top, bottom) = (place(area.1, first.height), place(area.1 + area.3, first.height));
    let (width, height) = (right.saturating_sub(left), bottom.saturating_sub(top));
    if width < 2 || height < 2 {
        return Ok(first);
    }
    let near = net.probability(photo, area)?.resized(width, height)?;
    let starts: Vec<usize> = (0..height).map(|row| (top + row) * first.width + left).collect();
    let (mut both, mut either) = (0_u32, 0_u32);
    for (start, values) in starts.iter().zip(near.values.chunks_exact(width)) {
        for (a, b) in first.values[*start..start + width].iter().zip(values) {
            both += u32::from(*a >= 0.5 && *b >= 0.5);
            either += u32::from(*a >= 0.5 || *b >= 0.5);
        }
    }
    if (both as f32) < AGREEMENT * either as f32 {
        return Ok(first);
    }
    for (start, values) in starts.iter().zip(near.values.chunks_exact(width)) {
        for (mixed, value) in first.values[*start..start + width].iter_mut().zip(values) {
            *mixed += NEAR_SHARE * (*value - *mixed);
        }
    }
    Ok(first)
}
