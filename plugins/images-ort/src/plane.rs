use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;
use keroxio_plugin_sdk::{Photo, PluginError};

/// One number per place, rows top to bottom.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

impl Plane {
    /// A plane of the same size with a number made from each place of this one and of another.
    pub fn with(&self, other: &Self, make: impl Fn(f32, f32) -> f32) -> Self {
        let values = self.values.iter().zip(&other.values).map(|(a, b)| make(*a, *b)).collect();
        Self { width: self.width, height: self.height, values }
    }

    /// Mean over the square of `2 * radius + 1` places around each place, cut at the rim.
    /// The cost does not depend on the radius.
    pub fn blurred(&self, radius: usize) -> Self {
        let rows = box_rows(&self.values, self.width, radius);
        Self { width: self.width, height: self.height, values: box_columns(&rows, self.width, radius) }
    }

    /// # Errors
    /// [`PluginError::Failed`] for an empty target.
    pub fn resized(&self, width: usize, height: usize) -> Result<Self, PluginError> {
        let bytes: Vec<u8> = self.values.iter().flat_map(|v| v.to_ne_bytes()).collect();
        let from = ImageRef::new(self.width as u32, self.height as u32, &bytes, PixelType::F32).map_err(failed)?;
        let mut to = Image::new(width as u32, height as u32, PixelType::F32);
        Resizer::new().resize(&from, &mut to, &linear()).map_err(failed)?;
        let values = to.buffer().chunks_exact(4).map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]])).collect();
        Ok(Self { width, height, values })
    }
}

fn linear() -> ResizeOptions {
    ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
}

fn failed(reason: impl std::fmt::Display) -> PluginError {
    PluginError::Failed(format!("resizing: {reason}"))
}

/// Squeezes a rectangle (x, y, width, height) of the photo into a square picture.
pub fn crop_to(photo: &Photo, (x, y, width, height): (f64, f64, f64, f64), side: u32) -> Result<RgbImage, PluginError> {
    let (source, size) = photo.source(width.min(height) / f64::from(side));
    // A half may lack the last row or column of an odd photo.
    let (most_wide, most_high) = (f64::from(source.width()), f64::from(source.height()));
    let (x, y) = ((x * size).min(most_wide - 1.0), (y * size).min(most_high - 1.0));
    let (width, height) = ((width * size).min(most_wide - x), (height * size).min(most_high - y));
    resize_rgb(source, side, side, linear().crop(x, y, width, height))
}

fn resize_rgb(photo: &RgbImage, width: u32, height: u32, how: ResizeOptions) -> Result<RgbImage, PluginError> {
    let from = ImageRef::new(photo.width(), photo.height(), photo.as_raw(), PixelType::U8x3).map_err(failed)?;
    let mut to = Image::new(width, height, PixelType::U8x3);
    Resizer::new().resize(&from, &mut to, &how).map_err(failed)?;
    RgbImage::from_raw(width, height, to.into_vec()).ok_or_else(|| failed("size"))
}

fn box_rows(values: &[f32], width: usize, radius: usize) -> Vec<f32> {
    let mut means = Vec::with_capacity(values.len());
    for row in values.chunks_exact(width) {
        // Sums in f64: a running f32 sum would drift along a long row.
        let mut sum: f64 = row.iter().take(radius).map(|v| f64::from(*v)).sum();
        for place in 0..width {
            if let Some(entering) = row.get(place + radius) {
                sum += f64::from(*entering);
            }
            if place > radius {
                sum -= f64::from(row[place - radius - 1]);
            }
            let count = (place + radius).min(width - 1) - place.saturating_sub(radius) + 1;
            means.push((sum / count as f64) as f32);
        }
    }
    means
}

/// [`box_rows`] of the columns, all of which move down together.
fn box_columns(values: &[f32], width: usize, radius: usize) -> Vec<f32> {
    let rows: Vec<&[f32]> = values.chunks_exact(width).collect();
    let mut sums = vec![0.0_f64; width];
    rows.iter().take(radius).for_each(|row| sums.iter_mut().zip(*row).for_each(|(sum, v)| *sum += f64::from(*v)));
    let mut means = Vec::with_capacity(values.len());
    for y in 0..rows.len() {
        if let Some(entering) = rows.get(y + radius) {
            sums.iter_mut().zip(*entering).for_each(|(sum, v)| *sum += f64::from(*v));
        }
        if let Some(leaving) = y.checked_sub(radius + 1).and_then(|y| rows.get(y)) {
            sums.iter_mut().zip(*leaving).for_each(|(sum, v)| *sum -= f64::from(*v));
        }
        let count = (y + radius).min(rows.len() - 1) - y.saturating_sub(radius) + 1;
        means.extend(sums.iter().map(|sum| (sum / count as f64) as f32));
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blur_is_the_mean_of_the_window() {
        let ramp = Plane { width: 5, height: 1, values: vec![0.0, 1.0, 2.0, 3.0, 10.0] };
        assert_eq!(ramp.blurred(1).values, vec![0.5, 1.0, 2.0, 5.0, 6.5]);
        let flat = Plane { width: 7, height: 3, values: vec![0.25; 21] };
        assert_eq!(flat.blurred(20), flat);
    }
}
