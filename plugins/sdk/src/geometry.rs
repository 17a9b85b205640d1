//! Plates seen at an angle: from four corners to an upright cut.

use image::RgbImage;

use crate::{Point, Quad};

/// Samples per pixel of the cut and direction at most, where the photo is finer than the cut.
const MOST_SAMPLES: u32 = 4;

/// Where in a photo a place of the plate lies: (0, 0) is its upper left corner, (1, 1) its lower right.
///
/// A plane in perspective; the formula is Heckbert's (Fundamentals of Texture Mapping, 1989, 2.2.3).
#[derive(Debug, Clone, Copy)]
pub struct Perspective([f32; 8]);

impl Perspective {
    /// None for corners that enclose nothing or cross over.
    pub fn of(quad: &Quad) -> Option<Self> {
        if !is_convex(quad) {
            return None;
        }
        let [p0, p1, p2, p3] = *quad;
        let (dx1, dx2, dx3) = (p1.x - p2.x, p3.x - p2.x, p0.x - p1.x + p2.x - p3.x);
        let (dy1, dy2, dy3) = (p1.y - p2.y, p3.y - p2.y, p0.y - p1.y + p2.y - p3.y);
        let area = dx1 * dy2 - dx2 * dy1;
        let g = (dx3 * dy2 - dx2 * dy3) / area;
        let h = (dx1 * dy3 - dx3 * dy1) / area;
        let (a, b) = (p1.x - p0.x + g * p1.x, p3.x - p0.x + h * p3.x);
        let (d, e) = (p1.y - p0.y + g * p1.y, p3.y - p0.y + h * p3.y);
        let all = [a, b, p0.x, d, e, p0.y, g, h];
        all.iter().all(|v| v.is_finite()).then_some(Self(all))
    }

    /// The place (u, v) of the plate, in pixels of the photo.
    pub fn at(&self, u: f32, v: f32) -> Point {
        let [a, b, c, d, e, f, g, h] = self.0;
        let w = g * u + h * v + 1.0;
        Point { x: (a * u + b * v + c) / w, y: (d * u + e * v + f) / w }
    }

    /// The place (u, v) of the plate that a pixel of the photo shows: the inverse of [`Self::at`].
    pub fn place(&self, at: Point) -> (f32, f32) {
        let [a, b, c, d, e, f, g, h] = self.0;
        let w = (d * h - e * g) * at.x + (b * g - a * h) * at.y + (a * e - b * d);
        let u = (e - f * h) * at.x + (c * h - b) * at.y + (b * f - c * e);
        let v = (f * g - d) * at.x + (a - c * g) * at.y + (c * d - a * f);
        (u / w, v / w)
    }

    /// The plate, upright, `width` x `height` pixels, with margins that are shares of its own width and height
    /// (negative ones cut into it). Beyond the photo its border goes on.
    pub fn cut(&self, photo: &RgbImage, (width, height): (u32, u32), margin: (f32, f32)) -> RgbImage {
        let (across, down) = (self.at(1.0, 0.5), self.at(0.5, 1.0));
        let (left, top) = (self.at(0.0, 0.5), self.at(0.5, 0.0));
        let samples = |length: f32, pixels: u32| ((length / pixels as f32).ceil() as u32).clamp(1, MOST_SAMPLES);
        let columns = samples(distance(left, across), width);
        let rows = samples(distance(top, down), height);
        let count = (columns * rows) as f32;
        let [a, b, c, d, e, f, g, h] = self.0;
        let place = |n: u32, of: u32, margin: f32| (n as f32 + 0.5) / of as f32 * (1.0 + 2.0 * margin) - margin;
        let across: Vec<f32> = (0..width * columns).map(|n| place(n, width * columns, margin.0)).collect();
        let mut sums = vec![[0.0_f32; 3]; width as usize];
        let mut bytes = Vec::with_capacity(3 * (width * height) as usize);
        for y in 0..height {
            sums.fill([0.0; 3]);
            for n in 0..rows {
                let v = place(y * rows + n, height * rows, margin.1);
                // What does not change along a row.
                let (x0, y0, w0) = (b * v + c, e * v + f, h * v + 1.0);
                for (sum, us) in sums.iter_mut().zip(across.chunks_exact(columns as usize)) {
                    for u in us {
                        let w = g * u + w0;
                        let colour = sample(photo, Point { x: (a * u + x0) / w, y: (d * u + y0) / w });
                        (0..3).for_each(|channel| sum[channel] += colour[channel]);
                    }
                }
            }
            bytes.extend(sums.iter().flatten().map(|sum| (sum / count + 0.5).clamp(0.0, 255.0) as u8));
        }
        RgbImage::from_raw(width, height, bytes).unwrap_or_default()
    }
}

/// Colour between pixels; the border goes on outside the photo.
#[inline]
pub fn sample(photo: &RgbImage, at: Point) -> [f32; 3] {
    let (last_x, last_y) = (photo.width() as usize - 1, photo.height() as usize - 1);
    let x = (at.x - 0.5).clamp(0.0, last_x as f32);
    let y = (at.y - 0.5).clamp(0.0, last_y as f32);
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(last_x), (top + 1).min(last_y));
    let (fx, fy) = (x - left as f32, y - top as f32);
    let bytes = photo.as_raw().as_slice();
    let pixel = |x: usize, y: usize| {
        let start = 3 * (y * (last_x + 1) + x);
        let pixel = &bytes[start..start + 3];
        [f32::from(pixel[0]), f32::from(pixel[1]), f32::from(pixel[2])]
    };
    let (a, b, c, d) = (pixel(left, top), pixel(right, top), pixel(left, bottom), pixel(right, bottom));
    let mix = |n: usize| (a[n] * (1.0 - fx) + b[n] * fx) * (1.0 - fy) + (c[n] * (1.0 - fx) + d[n] * fx) * fy;
    [mix(0), mix(1), mix(2)]
}

/// In pixels.
pub fn distance(a: Point, b: Point) -> f32 {
    (b.x - a.x).hypot(b.y - a.y)
}

/// The mean of the corners.
pub fn centre(quad: &Quad) -> Point {
    let mean = |of: fn(&Point) -> f32| quad.iter().map(of).sum::<f32>() / 4.0;
    Point { x: mean(|p| p.x), y: mean(|p| p.y) }
}

/// Mean width and height along the plate's own directions.
pub fn size(quad: &Quad) -> (f32, f32) {
    let [a, b, c, d] = *quad;
    ((distance(a, b) + distance(d, c)) / 2.0, (distance(a, d) + distance(b, c)) / 2.0)
}

/// Whether the corners go around clockwise (as y points down) without a dent, and enclose something.
fn is_convex(quad: &Quad) -> bool {
    (0..4).all(|n| {
        let (a, b, c) = (quad[n], quad[(n + 1) % 4], quad[(n + 2) % 4]);
        (b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x) > 1.0
    })
}

/// Whether a point lies within a quad whose corners go around clockwise.
pub fn contains(quad: &Quad, point: Point) -> bool {
    (0..4).all(|n| {
        let (a, b) = (quad[n], quad[(n + 1) % 4]);
        (b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x) >= 0.0
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn quad(corners: [(f32, f32); 4]) -> Quad {
        corners.map(|(x, y)| Point { x, y })
    }

    #[test]
    fn corners_of_the_cut_are_those_of_the_plate() {
        let seen = quad([(120.0, 80.0), (360.0, 110.0), (350.0, 180.0), (126.0, 130.0)]);
        let plate = Perspective::of(&seen).unwrap();
        for (corner, (u, v)) in seen.iter().zip([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]) {
            assert!(distance(plate.at(u, v), *corner) < 0.01, "{corner:?}");
        }
        for (u, v) in [(0.1, 0.9), (0.5, 0.5), (1.2, -0.1)] {
            let (back_u, back_v) = plate.place(plate.at(u, v));
            assert!((back_u - u).abs() < 1e-3 && (back_v - v).abs() < 1e-3, "{back_u} {back_v}");
        }
        // The middle of a plane in perspective is where its diagonals cross, not the mean of its corners.
        let middle = plate.at(0.5, 0.5);
        let along = |a: Point, b: Point| (b.x - a.x) * (middle.y - a.y) - (b.y - a.y) * (middle.x - a.x);
        assert!(along(seen[0], seen[2]).abs() < 1.0 && along(seen[1], seen[3]).abs() < 1.0, "{middle:?}");
    }

    #[test]
    fn a_slanted_plate_is_cut_upright() {
        // Left half black, right half white, drawn as a parallelogram.
        let seen = quad([(20.0, 20.0), (180.0, 60.0), (180.0, 100.0), (20.0, 60.0)]);
        let photo = RgbImage::from_fn(200, 120, |x, _| image::Rgb([if x < 100 { 0 } else { 255 }; 3]));
        let cut = Perspective::of(&seen).unwrap().cut(&photo, (64, 16), (0.0, 0.0));
        assert!(cut.enumerate_pixels().all(|(x, _, p)| if x < 31 { p.0[0] < 8 } else { x < 33 || p.0[0] > 247 }));
    }

    #[test]
    fn corners_that_enclose_nothing_are_no_plate() {
        let flat = [(10.0, 10.0), (50.0, 10.0), (50.0, 10.0), (10.0, 10.0)];
        let crossed = [(10.0, 10.0), (50.0, 40.0), (50.0, 10.0), (10.0, 40.0)];
        let mirrored = [(50.0, 10.0), (10.0, 10.0), (10.0, 40.0), (50.0, 40.0)];
        let nowhere = [(f32::NAN, 0.0), (50.0, 0.0), (50.0, 20.0), (0.0, 20.0)];
        for corners in [flat, crossed, mirrored, nowhere] {
            assert!(Perspective::of(&quad(corners)).is_none(), "{corners:?}");
        }
    }
}
