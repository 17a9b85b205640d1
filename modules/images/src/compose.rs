//! Pictures made from a photo and its matte: pure pixel work, no files, no network.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::{GrayImage, Rgb, RgbImage};
use jpeg_encoder::{ColorType, Encoder, EncodingError, SamplingFactor};

/// Wall and floor of the studio, from far to near, as grey levels.
const WALL: (f32, f32) = (250.0, 238.0);
const FLOOR: (f32, f32) = (222.0, 242.0);
/// The floor begins this share of the car's height above the lowest tyre.
const FLOOR_LINE: f32 = 0.30;
/// Longer side at which the shadow is drawn: it is blurred anyway.
const SHADOW_SIDE: u32 = 512;
/// How dark the shadow is where the tyre meets the ground, and farther out.
const CONTACT: f32 = 0.55;
const AMBIENT: f32 = 0.28;
/// A plate's cover is this much longer and higher than the plate.
const WIDENED: f32 = 1.12;
const COVER: [u8; 3] = [214, 216, 218];

type Corners = [(f32, f32); 4];

/// The photo with its longer side reduced to at most `max_side` pixels, never enlarged.
pub fn working_size(photo: &RgbImage, max_side: u32) -> RgbImage {
    let longer = photo.width().max(photo.height());
    if longer <= max_side || max_side == 0 {
        return photo.clone();
    }
    let scaled = |side: u32| {
        let exact = f64::from(side) * f64::from(max_side) / f64::from(longer);
        (exact.round() as u32).max(1)
    };
    let (width, height) = (scaled(photo.width()), scaled(photo.height()));
    let bytes = resized(photo.as_raw(), photo.dimensions(), (width, height), PixelType::U8x3);
    bytes.and_then(|b| RgbImage::from_raw(width, height, b)).unwrap_or_else(|| photo.clone())
}

/// A small version for lists; `max_side` is its longer side in pixels.
pub fn thumbnail(photo: &RgbImage, max_side: u32) -> RgbImage {
    working_size(photo, max_side)
}

/// JPEG with 4:2:0 colour and without metadata; `quality` is 1 to 100.
///
/// # Errors
/// [`EncodingError`] when a side is 0 or over 65 535 pixels.
pub fn encode_jpeg(photo: &RgbImage, quality: u8) -> Result<Vec<u8>, EncodingError> {
    let side = |pixels: u32| {
        let too_big = EncodingError::BadImageData { length: pixels as usize, required: usize::from(u16::MAX) };
        u16::try_from(pixels).map_err(|_| too_big)
    };
    let (width, height) = (side(photo.width())?, side(photo.height())?);
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, quality.clamp(1, 100));
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode(photo.as_raw(), width, height, ColorType::Rgb)?;
    Ok(bytes)
}

/// The car of the photo in a light studio, standing on its shadow; same size as the photo.
///
/// Where `alpha` is 255 the photo's pixels are copied unaltered. A matte of another size than the
/// photo is stretched to it.
pub fn studio(photo: &RgbImage, alpha: &GrayImage) -> RgbImage {
    let Some(alpha) = fitted(alpha, photo.dimensions()) else { return photo.clone() };
    let outline = Outline::of(&alpha);
    let shadow = outline.as_ref().map(|o| shadow(&alpha, o));
    let reach = (photo.width().max(photo.height()) / 400).clamp(2, 6);
    let mut studio = RgbImage::new(photo.width(), photo.height());
    for (x, y, pixel) in studio.enumerate_pixels_mut() {
        let car = alpha.get_pixel(x, y).0[0];
        if car == 255 {
            *pixel = *photo.get_pixel(x, y);
            continue;
        }
        let light = 1.0 - shadow.as_ref().map_or(0.0, |s| f32::from(s.get_pixel(x, y).0[0]) / 255.0);
        let ground = backdrop(y as f32, photo.height() as f32, outline.as_ref()) * light;
        let share = f32::from(car) / 255.0;
        let own = if car == 0 { [0.0; 3] } else { car_colour(photo, &alpha, x, y, reach) };
        *pixel = Rgb(own.map(|c| (c * share + ground * (1.0 - share)).round().clamp(0.0, 255.0) as u8));
    }
    studio
}

/// Covers each plate with an even surface a little larger than the plate, so that nothing of it
/// can be recovered. Corners are in pixels, in any order; a quad without an area, outside the photo
/// or with a corner that is no number is left out.
pub fn mask_quads(photo: &mut RgbImage, quads: &[Corners]) {
    for quad in quads {
        if let Some(cover) = widened(quad) {
            cover_plate(photo, &cover);
        }
    }
}

fn resized(bytes: &[u8], from: (u32, u32), to: (u32, u32), kind: PixelType) -> Option<Vec<u8>> {
    let source = ImageRef::new(from.0, from.1, bytes, kind).ok()?;
    let mut target = Image::new(to.0, to.1, kind);
    let how = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    Resizer::new().resize(&source, &mut target, &how).ok()?;
    Some(target.into_vec())
}

fn fitted(alpha: &GrayImage, size: (u32, u32)) -> Option<GrayImage> {
    if alpha.dimensions() == size {
        return Some(alpha.clone());
    }
    let bytes = resized(alpha.as_raw(), alpha.dimensions(), size, PixelType::U8)?;
    GrayImage::from_raw(size.0, size.1, bytes)
}

/// Where the car ends above and below.
struct Outline {
    top: f32,
    bottom: f32,
}

impl Outline {
    fn of(alpha: &GrayImage) -> Option<Self> {
        let mut rows = alpha.rows().enumerate().filter(|(_, row)| row.clone().any(|p| p.0[0] >= 128));
        let (top, _) = rows.next()?;
        let bottom = rows.next_back().map_or(top, |(y, _)| y);
        Some(Self { top: top as f32, bottom: bottom as f32 })
    }
}

/// Grey level of the empty studio in one row.
fn backdrop(y: f32, height: f32, car: Option<&Outline>) -> f32 {
    let line = car.map_or(0.7 * height, |c| c.bottom - FLOOR_LINE * (c.bottom - c.top)).max(1.0);
    let wall = WALL.0 + (WALL.1 - WALL.0) * (y / line).min(1.0);
    let near = ((y - line) / (height - line).max(1.0)).clamp(0.0, 1.0);
    let floor = FLOOR.0 + (FLOOR.1 - FLOOR.0) * near.sqrt();
    // The cove between wall and floor is round: no hard line behind the car.
    let turn = ((y - line) / (0.05 * height).max(1.0) + 0.5).clamp(0.0, 1.0);
    let turn = turn * turn * (3.0 - 2.0 * turn);
    wall + (floor - wall) * turn
}

/// What the car alone looks like at a place of its soft rim: the nearby inside of the car replaces
/// the part of the old background that shines through.
fn car_colour(photo: &RgbImage, alpha: &GrayImage, x: u32, y: u32, reach: u32) -> [f32; 3] {
    let own = photo.get_pixel(x, y).0.map(f32::from);
    let (mut sum, mut count) = ([0.0_f32; 3], 0.0_f32);
    for near_y in y.saturating_sub(reach)..=(y + reach).min(photo.height() - 1) {
        for near_x in x.saturating_sub(reach)..=(x + reach).min(photo.width() - 1) {
            if alpha.get_pixel(near_x, near_y).0[0] >= 250 {
                let inside = photo.get_pixel(near_x, near_y).0;
                for (total, value) in sum.iter_mut().zip(inside) {
                    *total += f32::from(value);
                }
                count += 1.0;
            }
        }
    }
    if count == 0.0 {
        return own;
    }
    let share = f32::from(alpha.get_pixel(x, y).0[0]) / 255.0;
    std::array::from_fn(|c| own[c] * share + sum[c] / count * (1.0 - share))
}

/// How much light the car takes from the floor, 0 to 255, at the size of the matte.
fn shadow(alpha: &GrayImage, outline: &Outline) -> GrayImage {
    let longer = alpha.width().max(alpha.height());
    let scale = (SHADOW_SIDE as f32 / longer as f32).min(1.0);
    let small = |side: u32| ((side as f32 * scale).round() as u32).max(1);
    let (width, height) = (small(alpha.width()) as usize, small(alpha.height()) as usize);
    let lowest = lowest_points(alpha, width, scale);
    let ground = ground_line(&lowest);
    let depth = ((outline.bottom - outline.top) * scale * 0.03).max(1.0);
    let mut dark = vec![0.0_f32; width * height];
    for (x, (low, line)) in lowest.iter().zip(&ground).enumerate() {
        let (Some(low), Some(line)) = (low, line) else { continue };
        let from = (low.min(*line) - depth).max(0.0) as usize;
        let to = ((line + depth).max(0.0) as usize).min(height - 1);
        (from..=to).for_each(|y| dark[y * width + x] = 1.0);
    }
    let tight = blurred(&dark, width, (width / 120).max(1), (height / 160).max(1));
    let wide = blurred(&dark, width, (width / 24).max(1), (height / 32).max(1));
    let bytes: Vec<u8> = tight
        .iter()
        .zip(&wide)
        .map(|(t, w)| ((CONTACT * t + AMBIENT * w).clamp(0.0, 1.0) * 255.0).round() as u8)
        .collect();
    let full = resized(&bytes, (width as u32, height as u32), alpha.dimensions(), PixelType::U8);
    full.and_then(|b| GrayImage::from_raw(alpha.width(), alpha.height(), b))
        .unwrap_or_else(|| GrayImage::new(alpha.width(), alpha.height()))
}

/// The lowest row of the car in each column of the reduced picture.
fn lowest_points(alpha: &GrayImage, width: usize, scale: f32) -> Vec<Option<f32>> {
    let column = |x: usize| ((x as f32 + 0.5) / scale) as u32;
    (0..width)
        .map(|x| {
            let x = column(x).min(alpha.width() - 1);
            (0..alpha.height()).rev().find(|y| alpha.get_pixel(x, *y).0[0] >= 128).map(|y| y as f32 * scale)
        })
        .collect()
}

/// The ground under the car: the lower convex hull of its lowest points, from tyre to tyre.
fn ground_line(lowest: &[Option<f32>]) -> Vec<Option<f32>> {
    let mut hull: Vec<(f32, f32)> = Vec::new();
    for (x, y) in lowest.iter().enumerate().filter_map(|(x, y)| y.map(|y| (x as f32, y))) {
        while let [.., a, b] = hull[..] {
            // Rows count downwards, so the hull keeps the corners that lie below the straight line.
            if (b.0 - a.0) * (y - a.1) - (b.1 - a.1) * (x - a.0) < 0.0 {
                break;
            }
            hull.pop();
        }
        hull.push((x, y));
    }
    let mut line = vec![None; lowest.len()];
    if let [only] = hull[..] {
        line[only.0 as usize] = Some(only.1);
    }
    for pair in hull.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        for (x, place) in line.iter_mut().enumerate().take(x1 as usize + 1).skip(x0 as usize) {
            *place = Some(y0 + (y1 - y0) * (x as f32 - x0) / (x1 - x0).max(1.0));
        }
    }
    line
}

/// Three box blurs in each direction: near enough to a Gaussian.
fn blurred(values: &[f32], width: usize, radius_x: usize, radius_y: usize) -> Vec<f32> {
    let height = values.len() / width;
    let mut soft = values.to_vec();
    for _ in 0..3 {
        for row in soft.chunks_exact_mut(width) {
            let smooth = box_mean(row, radius_x);
            row.copy_from_slice(&smooth);
        }
        for x in 0..width {
            let column: Vec<f32> = (0..height).map(|y| soft[y * width + x]).collect();
            for (y, value) in box_mean(&column, radius_y).into_iter().enumerate() {
                soft[y * width + x] = value;
            }
        }
    }
    soft
}

/// Mean of `2 * radius + 1` neighbours; beyond both ends there is light (0).
fn box_mean(line: &[f32], radius: usize) -> Vec<f32> {
    let mut sums = Vec::with_capacity(line.len() + 1);
    let mut sum = 0.0_f32;
    sums.push(sum);
    for value in line {
        sum += value;
        sums.push(sum);
    }
    let span = (2 * radius + 1) as f32;
    (0..line.len()).map(|i| (sums[(i + radius + 1).min(line.len())] - sums[i.saturating_sub(radius)]) / span).collect()
}

/// The convex outline of a quad, enlarged around its middle; none when it has no area.
fn widened(quad: &Corners) -> Option<Vec<(f32, f32)>> {
    if quad.iter().any(|(x, y)| !x.is_finite() || !y.is_finite() || x.abs() > 1e6 || y.abs() > 1e6) {
        return None;
    }
    let hull = convex(quad);
    let area: f32 = (0..hull.len())
        .map(|i| {
            let ((x0, y0), (x1, y1)) = (hull[i], hull[(i + 1) % hull.len()]);
            x0 * y1 - x1 * y0
        })
        .sum();
    if hull.len() < 3 || area.abs() < 1.0 {
        return None;
    }
    let count = hull.len() as f32;
    let middle = hull.iter().fold((0.0, 0.0), |m, p| (m.0 + p.0 / count, m.1 + p.1 / count));
    let away = |p: f32, m: f32| m + (p - m) * WIDENED;
    Some(hull.iter().map(|p| (away(p.0, middle.0), away(p.1, middle.1))).collect())
}

/// Corners of the convex hull, each to the left of the next edge (rows counting downwards).
fn convex(quad: &Corners) -> Vec<(f32, f32)> {
    let mut points = quad.to_vec();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let half = |points: &[(f32, f32)]| {
        let mut chain: Vec<(f32, f32)> = Vec::new();
        for p in points {
            while let [.., a, b] = chain[..] {
                if (b.0 - a.0) * (p.1 - a.1) - (b.1 - a.1) * (p.0 - a.0) > 0.0 {
                    break;
                }
                chain.pop();
            }
            chain.push(*p);
        }
        chain.pop();
        chain
    };
    let mut hull = half(&points);
    points.reverse();
    hull.extend(half(&points));
    hull
}

/// Paints inside the cover fully and lets it fade over a narrow border outside.
fn cover_plate(photo: &mut RgbImage, cover: &[(f32, f32)]) {
    let low = cover.iter().map(|p| p.1).fold(f32::MAX, f32::min);
    let high = cover.iter().map(|p| p.1).fold(f32::MIN, f32::max);
    let left = cover.iter().map(|p| p.0).fold(f32::MAX, f32::min);
    let right = cover.iter().map(|p| p.0).fold(f32::MIN, f32::max);
    let border = (0.05 * (high - low)).clamp(1.0, 12.0);
    let first = |edge: f32| (edge - border).floor().max(0.0) as u32;
    let after = |edge: f32, side: u32| ((edge + border).ceil().max(-1.0) + 1.0).min(side as f32) as u32;
    for y in first(low)..after(high, photo.height()) {
        for x in first(left)..after(right, photo.width()) {
            let inside = depth(cover, x as f32 + 0.5, y as f32 + 0.5);
            // Half a pixel of slack: a pixel that the plate only touches is covered in full too.
            let share = ((inside + 0.71) / border + 1.0).clamp(0.0, 1.0);
            let pixel = photo.get_pixel_mut(x, y);
            for (value, paint) in pixel.0.iter_mut().zip(COVER) {
                *value = (f32::from(*value) * (1.0 - share) + f32::from(paint) * share).round() as u8;
            }
        }
    }
}

/// Distance to the nearest edge of a convex outline, negative outside.
fn depth(outline: &[(f32, f32)], x: f32, y: f32) -> f32 {
    let edges = (0..outline.len()).map(|i| (outline[i], outline[(i + 1) % outline.len()]));
    let distances = edges.map(|(a, b)| {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        (dx * (y - a.1) - dy * (x - a.0)) / dx.hypot(dy).max(1e-6)
    });
    distances.fold(f32::MAX, f32::min)
}

#[cfg(test)]
#[path = "compose_tests.rs"]
mod tests;
