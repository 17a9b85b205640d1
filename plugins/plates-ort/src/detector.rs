//! Where plates are: a map of middles and, for each, four corners.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;
use keroxio_plugin_sdk::{Photo, PluginError, Point, Quad};
use ort::session::Session;
use ort::value::TensorRef;

use crate::failed;
use keroxio_plugin_sdk::geometry::{centre, contains, size};

/// Pixels of the network's input per place of its map.
const CELL: f32 = 8.0;
/// Unit of the corners in the map, in pixels of the network's input.
const REACH: f32 = 64.0;
/// Sides of the network's input are multiples of this.
const STEP: u32 = 32;
/// Quads answered at most: a car park must not take minutes.
pub const MOST: usize = 50;

/// A plate as the network sees it, in pixels of the photo.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    pub quad: Quad,
    /// Probability that this is a plate.
    pub heat: f32,
}

impl Found {
    /// Whether the middle of one lies on the other.
    pub fn overlaps(&self, other: &Self) -> bool {
        contains(&other.quad, centre(&self.quad)) || contains(&self.quad, centre(&other.quad))
    }
}

/// A rectangle of a photo: left, top, width, height, in pixels.
#[derive(Debug, Clone, Copy)]
pub struct Area {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

impl Area {
    pub fn whole(photo: &Photo) -> Self {
        Self { left: 0.0, top: 0.0, width: photo.width().into(), height: photo.height().into() }
    }

    /// A rectangle around a point, moved and reduced to what the photo has.
    pub fn around(photo: &Photo, middle: Point, (width, height): (f32, f32)) -> Self {
        let (width, height) =
            (f64::from(width).min(photo.width().into()), f64::from(height).min(photo.height().into()));
        let start =
            |middle: f32, length: f64, all: u32| (f64::from(middle) - length / 2.0).clamp(0.0, f64::from(all) - length);
        Self {
            left: start(middle.x, width, photo.width()),
            top: start(middle.y, height, photo.height()),
            width,
            height,
        }
    }
}

/// Plates in an area of the photo, the surest first, looked at with its longer side at `longest` pixels.
///
/// # Errors
/// [`PluginError::Failed`] when the runtime fails.
pub fn detect(
    session: &mut Session,
    photo: &Photo,
    area: Area,
    longest: u32,
    least: f32,
) -> Result<Vec<Found>, PluginError> {
    let scale = f64::from(longest) / area.width.max(area.height);
    let side = |length: f64| ((length * scale).round() as u32).max(1);
    let (width, height) = (side(area.width), side(area.height));
    let small = shrunk(photo, area, width, height)?;
    let (full_width, full_height) = (width.next_multiple_of(STEP) as usize, height.next_multiple_of(STEP) as usize);
    let planes = padded_planes(&small, full_width, full_height);
    let tensor = TensorRef::from_array_view(([1, 3, full_height, full_width], planes.as_slice())).map_err(failed)?;
    let (columns, rows) = (full_width / CELL as usize, full_height / CELL as usize);
    let back = (area.width / f64::from(width), area.height / f64::from(height));
    let place = |x: f32, y: f32| Point {
        x: (area.left + f64::from(x) * back.0) as f32,
        y: (area.top + f64::from(y) * back.1) as f32,
    };
    let mut found = keroxio_onnx::run(session, ort::inputs![tensor], |answer| {
        let (_, map) = answer[0].try_extract_tensor::<f32>().map_err(failed)?;
        if map.len() != 9 * columns * rows {
            return Err(failed(format!("{} values instead of {}", map.len(), 9 * columns * rows)));
        }
        Ok(peaks(map, columns, rows, least)
            .into_iter()
            .map(|(heat, corners)| Found { quad: corners.map(|(x, y)| place(x, y)), heat })
            .collect::<Vec<_>>())
    })?;
    keep_apart(&mut found);
    Ok(found)
}

/// Places at least this hot and hotter than their neighbours, with their corners in pixels of the input.
fn peaks(map: &[f32], columns: usize, rows: usize, least: f32) -> Vec<(f32, [(f32, f32); 4])> {
    let plane = columns * rows;
    let heat = |x: usize, y: usize| map[y * columns + x];
    let is_peak = |x: usize, y: usize| {
        let own = heat(x, y);
        own >= least
            && (y.saturating_sub(1)..=(y + 1).min(rows - 1))
                .flat_map(|v| (x.saturating_sub(1)..=(x + 1).min(columns - 1)).map(move |u| (u, v)))
                .all(|(u, v)| heat(u, v) < own || heat(u, v) <= own && (u, v) >= (x, y))
    };
    let places = (0..rows).flat_map(|y| (0..columns).map(move |x| (x, y)));
    let peaks = places.filter(|(x, y)| is_peak(*x, *y)).map(|(x, y)| {
        // Every hot place around the peak has an opinion on the corners; together they are more exact.
        let around = (y.saturating_sub(1)..=(y + 1).min(rows - 1))
            .flat_map(|v| (x.saturating_sub(1)..=(x + 1).min(columns - 1)).map(move |u| (u, v)))
            .filter(|(u, v)| heat(*u, *v) >= 0.5 * heat(x, y));
        let (mut corners, mut total) = ([(0.0, 0.0); 4], 0.0);
        for (u, v) in around {
            let weight = heat(u, v);
            total += weight;
            for (n, corner) in corners.iter_mut().enumerate() {
                let offset = |axis: usize| map[(1 + 2 * n + axis) * plane + v * columns + u] * REACH;
                corner.0 += weight * ((u as f32 + 0.5) * CELL + offset(0));
                corner.1 += weight * ((v as f32 + 0.5) * CELL + offset(1));
            }
        }
        (heat(x, y), corners.map(|(x, y)| (x / total, y / total)))
    });
    peaks.collect()
}

/// Keeps the surest of several that lie on each other.
pub fn keep_apart(found: &mut Vec<Found>) {
    found.sort_by(|a, b| b.heat.total_cmp(&a.heat));
    let mut kept: Vec<Found> = Vec::new();
    for one in found.drain(..) {
        let apart = |other: &Found| !one.overlaps(other);
        let (width, height) = size(&one.quad);
        let plausible =
            width.is_finite() && width > 4.0 && height > 2.0 && width < 12.0 * height && height < 1.6 * width;
        if plausible && kept.len() < MOST && kept.iter().all(apart) {
            kept.push(one);
        }
    }
    *found = kept;
}

fn shrunk(photo: &Photo, area: Area, width: u32, height: u32) -> Result<RgbImage, PluginError> {
    let (pixels, size) = photo.source(area.width / f64::from(width));
    let source = ImageRef::new(pixels.width(), pixels.height(), pixels.as_raw(), PixelType::U8x3).map_err(failed)?;
    let mut small = Image::new(width, height, PixelType::U8x3);
    // A half may lack the last row or column of an odd photo.
    let (left, top) = (area.left * size, area.top * size);
    let wide = (area.width * size).min(f64::from(pixels.width()) - left);
    let high = (area.height * size).min(f64::from(pixels.height()) - top);
    let how = ResizeOptions::new().crop(left, top, wide, high).resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    Resizer::new().resize(&source, &mut small, &how).map_err(failed)?;
    RgbImage::from_raw(width, height, small.into_vec()).ok_or_else(|| failed("a resized photo lost pixels"))
}

/// Red, green and blue one after the other, from -1 to 1; grey where the picture ends.
fn padded_planes(picture: &RgbImage, width: usize, height: usize) -> Vec<f32> {
    let size = width * height;
    let mut planes = vec![128.0 / 127.5 - 1.0; 3 * size];
    let values: [f32; 256] = std::array::from_fn(|byte| byte as f32 / 127.5 - 1.0);
    let wide = picture.width() as usize;
    for (y, row) in picture.as_raw().chunks_exact(3 * wide).enumerate() {
        for channel in 0..3 {
            let start = channel * size + y * width;
            for (place, pixel) in planes[start..start + wide].iter_mut().zip(row.chunks_exact(3)) {
                *place = values[usize::from(pixel[channel])];
            }
        }
    }
    planes
}
