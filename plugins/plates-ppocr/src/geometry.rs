use image::{Rgb, RgbImage};
use keroxio_plugin_sdk::geometry::sample;
use keroxio_plugin_sdk::{Point, Quad};

/// Height in pixels of the strips the recognition network reads.
pub const STRIP_HEIGHT: u32 = 48;
/// Shorter strips are filled with grey up to this width, as the network was trained.
const STRIP_MIN_WIDTH: u32 = 320;
/// Longest strip worth reading: nine times as wide as high is no plate any more.
const STRIP_MAX_WIDTH: u32 = 480;
/// Longest strip of other texts.
const LINE_MAX_WIDTH: u32 = 1_200;

/// A rectangle at an angle: centre, full sizes and the direction of its longer side, in pixels.
#[derive(Debug, Clone, Copy)]
pub struct Tilted {
    pub centre: Point,
    pub width: f32,
    pub height: f32,
    /// Unit vector along the width, pointing right.
    pub along: Point,
}

impl Tilted {
    /// The smallest rectangle around some points, its width along the more horizontal direction.
    pub fn around(points: &[Point]) -> Option<Self> {
        let hull = hull(points);
        let sides = hull.iter().zip(hull.iter().cycle().skip(1));
        sides
            .filter_map(|(a, b)| Self::along_side(&hull, *a, *b))
            .min_by(|a, b| (a.width * a.height).total_cmp(&(b.width * b.height)))
    }

    fn along_side(hull: &[Point], a: Point, b: Point) -> Option<Self> {
        let length = (b.x - a.x).hypot(b.y - a.y);
        if length <= f32::EPSILON {
            return None;
        }
        let mut along = Point { x: (b.x - a.x) / length, y: (b.y - a.y) / length };
        if along.x.abs() < along.y.abs() {
            along = Point { x: along.y, y: -along.x };
        }
        if along.x < 0.0 {
            along = Point { x: -along.x, y: -along.y };
        }
        let spread = |axis: Point| {
            let reach = hull.iter().map(|p| p.x * axis.x + p.y * axis.y);
            reach.fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(v), high.max(v)))
        };
        let across = Point { x: -along.y, y: along.x };
        let ((left, right), (top, bottom)) = (spread(along), spread(across));
        let (u, v) = ((left + right) / 2.0, (top + bottom) / 2.0);
        let centre = Point { x: along.x * u + across.x * v, y: along.y * u + across.y * v };
        Some(Self { centre, width: right - left, height: bottom - top, along })
    }

    /// Grown by a number of pixels on each of the four sides.
    pub fn grown(self, horizontal: f32, vertical: f32) -> Self {
        Self { width: self.width + 2.0 * horizontal, height: self.height + 2.0 * vertical, ..self }
    }

    pub fn scaled(self, x: f32, y: f32) -> Self {
        let (dx, dy) = (self.along.x * x, self.along.y * y);
        let stretch = dx.hypot(dy);
        let across = (self.along.y * x).hypot(self.along.x * y);
        Self {
            centre: Point { x: self.centre.x * x, y: self.centre.y * y },
            width: self.width * stretch,
            height: self.height * across,
            along: Point { x: dx / stretch, y: dy / stretch },
        }
    }

    /// Place of a point given in shares of width and height; `slant` moves the top edge to the right
    /// by that share of the height.
    fn place(&self, u: f32, v: f32, slant: f32) -> Point {
        let right = (u - 0.5) * self.width + (0.5 - v) * self.height * slant;
        let down = (v - 0.5) * self.height;
        Point {
            x: self.centre.x + self.along.x * right - self.along.y * down,
            y: self.centre.y + self.along.y * right + self.along.x * down,
        }
    }

    pub fn quad(&self, photo: &RgbImage) -> Quad {
        let (right, bottom) = (photo.width() as f32, photo.height() as f32);
        [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)].map(|(u, v)| {
            let p = self.place(u, v, 0.0);
            Point { x: p.x.clamp(0.0, right), y: p.y.clamp(0.0, bottom) }
        })
    }

    /// Cuts the rectangle out of the photo, upright and as high as the network reads.
    pub fn strip(&self, photo: &RgbImage, slant: f32) -> RgbImage {
        self.strip_within(photo, slant, STRIP_MAX_WIDTH)
    }

    /// [`Self::strip`] of a text that is no plate and may be longer.
    pub fn long_strip(&self, photo: &RgbImage) -> RgbImage {
        self.strip_within(photo, 0.0, LINE_MAX_WIDTH)
    }

    fn strip_within(&self, photo: &RgbImage, slant: f32, most: u32) -> RgbImage {
        let ratio = self.width / self.height.max(1.0);
        let inner = ((STRIP_HEIGHT as f32 * ratio).round() as u32).clamp(16, most);
        let mut strip = RgbImage::from_pixel(inner.max(STRIP_MIN_WIDTH), STRIP_HEIGHT, Rgb([128, 128, 128]));
        // Several samples per pixel where the photo is finer than the strip, or thin strokes would break.
        let samples = ((self.height / STRIP_HEIGHT as f32).ceil() as u32).clamp(1, 4);
        for y in 0..STRIP_HEIGHT {
            for x in 0..inner {
                let mut sum = [0.0_f32; 3];
                for (i, j) in (0..samples * samples).map(|n| (n % samples, n / samples)) {
                    let u = (x as f32 + (i as f32 + 0.5) / samples as f32) / inner as f32;
                    let v = (y as f32 + (j as f32 + 0.5) / samples as f32) / STRIP_HEIGHT as f32;
                    let colour = sample(photo, self.place(u, v, slant));
                    (0..3).for_each(|c| sum[c] += colour[c]);
                }
                let count = (samples * samples) as f32;
                strip.put_pixel(x, y, Rgb(sum.map(|s| (s / count).round().clamp(0.0, 255.0) as u8)));
            }
        }
        strip
    }
}

/// Convex hull, in order around it.
fn hull(points: &[Point]) -> Vec<Point> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    let turn = |a: Point, b: Point, c: Point| (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
    let chain = |points: &mut dyn Iterator<Item = &Point>| {
        let mut chain: Vec<Point> = Vec::new();
        for p in points {
            while let [.., a, b] = chain.as_slice()
                && turn(*a, *b, *p) <= 0.0
            {
                chain.pop();
            }
            chain.push(*p);
        }
        chain.pop();
        chain
    };
    let mut around = chain(&mut sorted.iter());
    around.extend(chain(&mut sorted.iter().rev()));
    around
}
