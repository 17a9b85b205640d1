use image::{GrayImage, RgbImage};
use keroxio_plugin_sdk::{Matte, PluginError};

use crate::blobs::{bounds, tidy};
use crate::net::Net;
use crate::plane::{Plane, guided, scaled, scaled_bytes};

/// Longer side, in pixels, at which the outline is worked out.
const WORK_SIDE: f64 = 512.0;
/// Below this share of the photo, the car is looked at a second time, closer.
const SMALL_CAR: f32 = 0.35;
/// Room around the car for the second look, as a share of its width and height.
const ROOM: f64 = 0.15;
/// Reach and flatness of the outline's refinement, in pixels of the working size and squared luminance.
const EDGE_RADIUS: usize = 4;
const EDGE_FLAT: f32 = 1e-3;
/// A smaller car is no subject of an ad photo.
const LEAST_COVERAGE: f32 = 0.03;
/// Less decided mattes were never a car on photos without cars; see the README for the figures.
const LEAST_CONFIDENCE: f32 = 0.79;

/// The matte of the main car; blocking, one thread.
///
/// # Errors
/// [`PluginError::Failed`] when the runtime fails.
pub fn matte(net: &Net, photo: &RgbImage) -> Result<Matte, PluginError> {
    let whole = (0.0, 0.0, f64::from(photo.width()), f64::from(photo.height()));
    let scale = (WORK_SIDE / whole.2.max(whole.3)).min(1.0);
    let width = (whole.2 * scale).round().max(1.0) as usize;
    let height = (whole.3 * scale).round().max(1.0) as usize;
    let first = tidy(&net.probability(photo, whole)?.resized(width, height)?);
    let soft = match closer(&first) {
        Some(area) => tidy(&second_look(net, photo, &first, area, scale)?),
        None => first,
    };
    let coverage = share(&soft);
    let confidence = decidedness(&soft);
    let refined = guided(&soft, &luminance(&scaled(photo, width as u32, height as u32)?), EDGE_RADIUS, EDGE_FLAT);
    let bytes: Vec<u8> = refined.values.iter().zip(&soft.values).map(|(fine, raw)| alpha(*fine, *raw)).collect();
    let full = scaled_bytes(&bytes, (width as u32, height as u32), photo.dimensions())?;
    let alpha = GrayImage::from_raw(photo.width(), photo.height(), full)
        .ok_or_else(|| PluginError::Failed("size of the matte".to_owned()))?;
    let found = coverage >= LEAST_COVERAGE && confidence >= LEAST_CONFIDENCE;
    Ok(Matte { alpha, coverage, confidence, found })
}

/// Steeper than the network's answer, so that the inside is fully car and the outside fully not.
fn alpha(refined: f32, raw: f32) -> u8 {
    // Refinement may move the outline; it must not eat into what the network is sure of.
    let value = if !(0.03..=0.97).contains(&raw) { raw } else { refined };
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

/// The rectangle (left, top, right, bottom) of a second look, for a car that is small in the photo.
fn closer(soft: &Plane) -> Option<(f64, f64, f64, f64)> {
    let (left, top, right, bottom) = bounds(soft)?;
    let (width, height) = ((right - left) as f64, (bottom - top) as f64);
    let share = (width * height) as f32 / soft.values.len() as f32;
    if share >= SMALL_CAR || width < 4.0 || height < 4.0 {
        return None;
    }
    Some((
        (left as f64 - ROOM * width).max(0.0).floor(),
        (top as f64 - ROOM * height).max(0.0).floor(),
        (right as f64 + ROOM * width).min(soft.width as f64).ceil(),
        (bottom as f64 + ROOM * height).min(soft.height as f64).ceil(),
    ))
}

/// Inside the rectangle, the mean of both looks; outside it, the first alone.
fn second_look(
    net: &Net,
    photo: &RgbImage,
    first: &Plane,
    (left, top, right, bottom): (f64, f64, f64, f64),
    scale: f64,
) -> Result<Plane, PluginError> {
    let (full_width, full_height) = (f64::from(photo.width()), f64::from(photo.height()));
    let x = (left / scale).min(full_width - 1.0);
    let y = (top / scale).min(full_height - 1.0);
    let area = (x, y, (right / scale).min(full_width) - x, (bottom / scale).min(full_height) - y);
    let (width, height) = ((right - left) as usize, (bottom - top) as usize);
    let near = net.probability(photo, area)?.resized(width, height)?;
    let mut both = first.clone();
    for (row, values) in near.values.chunks_exact(width).enumerate() {
        let start = (top as usize + row) * first.width + left as usize;
        for (mixed, value) in both.values[start..start + width].iter_mut().zip(values) {
            *mixed = 0.5 * (*mixed + value);
        }
    }
    Ok(both)
}

fn luminance(photo: &RgbImage) -> Plane {
    let values = photo.pixels().map(|p| {
        let [r, g, b] = p.0.map(f32::from);
        (0.299 * r + 0.587 * g + 0.114 * b) / 255.0
    });
    Plane { width: photo.width() as usize, height: photo.height() as usize, values: values.collect() }
}
