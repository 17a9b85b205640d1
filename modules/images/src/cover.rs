//! Plates made unreadable.

use async_graphql::Enum;
use image::RgbImage;
use keroxio_plugin_sdk::Point;
use keroxio_plugin_sdk::geometry::{Perspective, sample};
use serde::{Deserialize, Serialize};

/// A plate's cover is this much longer and higher than the plate.
const WIDENED: f32 = 1.12;
const EVEN: [u8; 3] = [214, 216, 218];
/// What is left of a blurred plate: so many colours across and down. No character survives that.
const COARSE: (usize, usize) = (4, 2);

pub type Corners = [(f32, f32); 4];

/// What plates are covered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Enum, Serialize, Deserialize)]
#[graphql(name = "PlateCover")]
#[serde(rename_all = "snake_case")]
pub enum Cover {
    /// An even grey.
    #[default]
    Solid,
    /// The plate's own colours, run into each other; no character can be recovered.
    Blur,
    /// The garage's logo, in the perspective of the plate.
    Inlay,
}

/// A cover with what it needs.
#[derive(Clone, Copy)]
pub enum Paint<'a> {
    Solid,
    Blur,
    Inlay(&'a RgbImage),
}

/// Covers each plate with a surface a little larger than the plate, so that nothing of it can be recovered. Corners
/// are in pixels, in any order; a quad without an area, outside the photo or with a corner that is no number is left
/// out.
pub fn mask_quads(photo: &mut RgbImage, quads: &[Corners], paint: Paint<'_>) {
    for quad in quads {
        if let Some(cover) = widened(quad) {
            let plane = Perspective::of(&quad.map(|(x, y)| Point { x, y }));
            let ink = Ink::of(photo, &cover, plane, paint);
            cover_plate(photo, &cover, &ink);
        }
    }
}

/// The colour of each place of a cover.
enum Ink<'a> {
    Even([f32; 3]),
    /// Colours of a coarse grid over a rectangle (left, top, width, height).
    Grid(Vec<[f32; 3]>, (f32, f32, f32, f32)),
    Print(&'a RgbImage, Perspective),
}

impl<'a> Ink<'a> {
    fn of(photo: &RgbImage, cover: &[(f32, f32)], plane: Option<Perspective>, paint: Paint<'a>) -> Self {
        match (paint, plane) {
            (Paint::Blur, _) => Self::blurred(photo, cover),
            (Paint::Inlay(logo), Some(plane)) => Self::Print(logo, plane),
            // Corners in a wrong order have no up and down.
            (Paint::Solid | Paint::Inlay(_), _) => Self::Even(EVEN.map(f32::from)),
        }
    }

    fn blurred(photo: &RgbImage, cover: &[(f32, f32)]) -> Self {
        let ends = |of: fn(&(f32, f32)) -> f32, most: u32| {
            let ends = cover.iter().map(of).fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(v), h.max(v)));
            (ends.0.clamp(0.0, most as f32), ends.1.clamp(0.0, most as f32))
        };
        let ((left, right), (top, bottom)) = (ends(|p| p.0, photo.width()), ends(|p| p.1, photo.height()));
        let (width, height) = ((right - left).max(1.0), (bottom - top).max(1.0));
        let mut cells = vec![([0.0_f32; 3], 0.0_f32); COARSE.0 * COARSE.1];
        for y in top as u32..(bottom as u32).min(photo.height()) {
            for x in left as u32..(right as u32).min(photo.width()) {
                let place = |at: f32, from: f32, length: f32, cells: usize| {
                    (((at - from) / length * cells as f32).max(0.0) as usize).min(cells - 1)
                };
                let (column, row) = (place(x as f32, left, width, COARSE.0), place(y as f32, top, height, COARSE.1));
                let (sum, count) = &mut cells[row * COARSE.0 + column];
                let pixel = photo.get_pixel(x, y).0;
                (0..3).for_each(|c| sum[c] += f32::from(pixel[c]));
                *count += 1.0;
            }
        }
        let mean =
            |(sum, count): ([f32; 3], f32)| if count > 0.0 { sum.map(|s| s / count) } else { EVEN.map(f32::from) };
        Self::Grid(cells.into_iter().map(mean).collect(), (left, top, width, height))
    }

    fn at(&self, x: f32, y: f32) -> [f32; 3] {
        match self {
            Self::Even(colour) => *colour,
            Self::Grid(cells, (left, top, width, height)) => {
                let place = |at: f32, from: f32, length: f32, cells: usize| {
                    ((at - from) / length * cells as f32 - 0.5).clamp(0.0, (cells - 1) as f32)
                };
                let (u, v) = (place(x, *left, *width, COARSE.0), place(y, *top, *height, COARSE.1));
                let (column, row) = (u as usize, v as usize);
                let (next_column, next_row) = ((column + 1).min(COARSE.0 - 1), (row + 1).min(COARSE.1 - 1));
                let (fu, fv) = (u - column as f32, v - row as f32);
                let cell = |column: usize, row: usize, c: usize| cells[row * COARSE.0 + column][c];
                std::array::from_fn(|c| {
                    let upper = cell(column, row, c) * (1.0 - fu) + cell(next_column, row, c) * fu;
                    let lower = cell(column, next_row, c) * (1.0 - fu) + cell(next_column, next_row, c) * fu;
                    upper * (1.0 - fv) + lower * fv
                })
            }
            Self::Print(logo, plane) => {
                let (u, v) = plane.place(Point { x, y });
                let (width, height) = (logo.width() as f32, logo.height() as f32);
                sample(logo, Point { x: u * width, y: v * height })
            }
        }
    }
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
fn cover_plate(photo: &mut RgbImage, cover: &[(f32, f32)], ink: &Ink<'_>) {
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
            if share <= 0.0 {
                continue;
            }
            let colour = ink.at(x as f32 + 0.5, y as f32 + 0.5);
            let pixel = photo.get_pixel_mut(x, y);
            for (value, paint) in pixel.0.iter_mut().zip(colour) {
                *value = (f32::from(*value) * (1.0 - share) + paint * share).round().clamp(0.0, 255.0) as u8;
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
#[path = "cover_tests.rs"]
mod tests;
