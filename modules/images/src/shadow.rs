//! What a car does to the floor under it: the line its tyres stand on, and the light it takes.

use image::GrayImage;

use crate::pixels::resized_grey;
use crate::stage::Outline;

/// Longer side at which the shadow is drawn: it is blurred anyway.
const SHADOW_SIDE: u32 = 512;
/// How dark the shadow is where the tyre meets the ground, and farther out.
const CONTACT: f32 = 0.55;
const AMBIENT: f32 = 0.28;

/// The floor under a car.
pub struct Footprint {
    /// Light the car takes from each place, 0 to 255, at the size of the matte.
    pub dark: GrayImage,
    /// Row on which the car stands, for each column that it covers.
    pub line: Vec<Option<f32>>,
}

impl Footprint {
    pub fn of(alpha: &GrayImage, outline: &Outline) -> Self {
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
        let shade = |(t, w): (&f32, &f32)| ((CONTACT * t + AMBIENT * w).clamp(0.0, 1.0) * 255.0).round() as u8;
        let bytes: Vec<u8> = tight.iter().zip(&wide).map(shade).collect();
        let full = resized_grey(&bytes, (width as u32, height as u32), alpha.dimensions());
        let column = |x: u32| ((x as f32 * scale) as usize).min(ground.len().saturating_sub(1));
        let line = (0..alpha.width()).map(|x| ground.get(column(x)).copied().flatten().map(|y| y / scale)).collect();
        Self { dark: full.unwrap_or_else(|| GrayImage::new(alpha.width(), alpha.height())), line }
    }
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
    let mut soft = values.to_vec();
    for _ in 0..3 {
        for row in soft.chunks_exact_mut(width) {
            let smooth = box_mean(row, radius_x);
            row.copy_from_slice(&smooth);
        }
        soft = columns_mean(&soft, width, radius_y);
    }
    soft
}

/// [`box_mean`] of every column, row by row: all columns move on together.
fn columns_mean(values: &[f32], width: usize, radius: usize) -> Vec<f32> {
    let rows: Vec<&[f32]> = values.chunks_exact(width).collect();
    let share = 1.0 / (2 * radius + 1) as f32;
    let mut sums = vec![0.0_f32; width];
    rows.iter().take(radius).for_each(|row| sums.iter_mut().zip(*row).for_each(|(sum, value)| *sum += value));
    let mut means = Vec::with_capacity(values.len());
    for y in 0..rows.len() {
        if let Some(entering) = rows.get(y + radius) {
            sums.iter_mut().zip(*entering).for_each(|(sum, value)| *sum += value);
        }
        if let Some(leaving) = y.checked_sub(radius + 1).and_then(|y| rows.get(y)) {
            sums.iter_mut().zip(*leaving).for_each(|(sum, value)| *sum -= value);
        }
        means.extend(sums.iter().map(|sum| sum * share));
    }
    means
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hull_spans_from_tyre_to_tyre() {
        let low = [None, Some(9.0), Some(5.0), Some(5.0), Some(9.0), None];
        assert_eq!(ground_line(&low), [None, Some(9.0), Some(9.0), Some(9.0), Some(9.0), None]);
        assert_eq!(ground_line(&[None, None]), [None, None]);
    }
}
