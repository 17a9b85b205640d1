//! The car of a photo on another ground: pure pixel work, no files, no network.

use async_graphql::SimpleObject;
use image::{GrayImage, RgbImage, Rgba, RgbaImage};
use serde::{Deserialize, Serialize};

use crate::pixels::{fitted, stretched};
use crate::scene::{Scene, covering};
use crate::shadow::Footprint;

/// The floor begins this share of the car's height above the lowest tyre.
const FLOOR_LINE: f32 = 0.30;
/// In a picture framed anew, the car takes this share of the width at most and of the height at most, and stands on
/// this share of the height: the same for every photo of a set.
const FRAMED_WIDE: f32 = 0.80;
const FRAMED_HIGH: f32 = 0.68;
const STANDS_AT: f32 = 0.84;
/// Width of a framed picture for its height.
const RATIO: f32 = 4.0 / 3.0;
/// Share of the car's height over which its reflection fades.
const REFLECTED: f32 = 0.35;
/// How far the scene may take on the colour of the light in the photo, and how much of it.
const TINT: f32 = 0.015;
const TINT_SHARE: f32 = 0.2;
/// A logo is at most this share of the picture's width and height, and this share of the width away from its corner.
const LOGO: f32 = 0.16;
const LOGO_MARGIN: f32 = 0.025;

/// How a car is shown.
#[derive(Clone, Copy)]
pub struct Staging<'a> {
    pub scene: Scene,
    /// Takes the place of the scene.
    pub background: Option<&'a RgbImage>,
    /// Whether the picture is cut anew around the car.
    pub framed: bool,
}

/// A car on its new ground.
pub struct Staged {
    pub picture: RgbImage,
    /// The car in the picture.
    pub alpha: GrayImage,
    pub frame: Frame,
}

/// Which part of the photo's plane a picture shows; it may reach beyond the photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    pub left: i64,
    pub top: i64,
    pub width: u32,
    pub height: u32,
}

/// Which part of a photo a picture shows, as shares of the photo's width and height; it may reach beyond the photo.
#[derive(Debug, Clone, Copy, PartialEq, SimpleObject, Serialize, Deserialize)]
#[graphql(name = "PhotoPart")]
pub struct Part {
    /// Where it begins, in widths of the photo from its left side.
    pub left: f64,
    /// Where it begins, in heights of the photo from its top.
    pub top: f64,
    /// How wide it is, in widths of the photo.
    pub width: f64,
    /// How high it is, in heights of the photo.
    pub height: f64,
}

impl Part {
    pub const WHOLE: Self = Self { left: 0.0, top: 0.0, width: 1.0, height: 1.0 };

    pub fn of(frame: &Frame, (width, height): (u32, u32)) -> Self {
        let (wide, high) = (f64::from(width), f64::from(height));
        Self {
            left: frame.left as f64 / wide,
            top: frame.top as f64 / high,
            width: f64::from(frame.width) / wide,
            height: f64::from(frame.height) / high,
        }
    }
}

/// Where the car ends, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outline {
    pub left: f32,
    pub right: f32,
    pub top: f32,
    pub bottom: f32,
}

impl Outline {
    pub fn of(alpha: &GrayImage) -> Option<Self> {
        let is_car = |pixel: &u8| *pixel >= 128;
        let mut rows = alpha.as_raw().chunks_exact(alpha.width() as usize).enumerate();
        let with_car = |(_, row): &(usize, &[u8])| row.iter().any(is_car);
        let (top, _) = rows.find(with_car)?;
        let bottom = rows.rfind(with_car).map_or(top, |(y, _)| y);
        let (mut left, mut right) = (alpha.width() as usize, 0);
        for row in alpha.as_raw().chunks_exact(alpha.width() as usize).skip(top).take(bottom - top + 1) {
            left = left.min(row.iter().position(is_car).unwrap_or(left));
            right = right.max(row.iter().rposition(is_car).unwrap_or(right));
        }
        Some(Self { left: left as f32, right: right as f32, top: top as f32, bottom: bottom as f32 })
    }

    fn height(&self) -> f32 {
        self.bottom - self.top + 1.0
    }

    /// Whether the car ends within the photo on every side.
    fn is_whole(&self, (width, height): (u32, u32)) -> bool {
        let near = 0.005 * width.max(height) as f32;
        self.left > near
            && self.top > near
            && self.right < width as f32 - 1.0 - near
            && self.bottom < height as f32 - 1.0 - near
    }

    fn moved(&self, frame: &Frame) -> Self {
        let (left, top) = (frame.left as f32, frame.top as f32);
        Self { left: self.left - left, right: self.right - left, top: self.top - top, bottom: self.bottom - top }
    }
}

impl Frame {
    pub fn whole((width, height): (u32, u32)) -> Self {
        Self { left: 0, top: 0, width, height }
    }

    /// The frame in which the car stands as on every other picture of its set.
    fn around(car: &Outline) -> Self {
        let high = (car.height() / FRAMED_HIGH).max((car.right - car.left + 1.0) / FRAMED_WIDE / RATIO);
        let wide = high * RATIO;
        let middle = (car.left + car.right) / 2.0;
        Self {
            left: (middle - wide / 2.0).round() as i64,
            top: (car.bottom - STANDS_AT * high).round() as i64,
            width: (wide.round() as u32).max(1),
            height: (high.round() as u32).max(1),
        }
    }
}

/// Puts the car of a photo on another ground, standing on its shadow.
///
/// Where `alpha` is 255 the photo's pixels are copied unaltered. A matte of another size than the photo is stretched
/// to it; without any car in it the photo itself is answered.
pub fn stage(photo: &RgbImage, alpha: &GrayImage, staging: &Staging<'_>) -> Staged {
    let whole = Frame::whole(photo.dimensions());
    let Some((alpha, outline)) =
        fitted(alpha, photo.dimensions()).and_then(|a| Some((Outline::of(&a)?, a))).map(|(o, a)| (a, o))
    else {
        let alpha = GrayImage::new(photo.width(), photo.height());
        return Staged { picture: photo.clone(), alpha, frame: whole };
    };
    let tint = tint(photo, &alpha);
    let is_framed = staging.framed && outline.is_whole(photo.dimensions());
    let frame = if is_framed { Frame::around(&outline) } else { whole };
    let (photo, alpha, outline) = if is_framed {
        (shown(photo, &frame), shown(&alpha, &frame), outline.moved(&frame))
    } else {
        (photo.clone(), alpha, outline)
    };
    let line = outline.bottom - FLOOR_LINE * (outline.bottom - outline.top);
    let ground = match staging.background {
        Some(background) => covering(background, photo.dimensions()),
        None => staging.scene.draw(photo.dimensions(), line, tint),
    };
    let gloss = if staging.background.is_some() { 0.0 } else { staging.scene.gloss() };
    let picture = laid(&photo, &alpha, ground, &Footprint::of(&alpha, &outline), gloss, &outline);
    Staged { picture, alpha, frame }
}

/// What a frame shows of a picture; zeros where there is nothing.
fn shown<P: image::Pixel<Subpixel = u8>>(
    picture: &image::ImageBuffer<P, Vec<u8>>,
    frame: &Frame,
) -> image::ImageBuffer<P, Vec<u8>> {
    let mut canvas = image::ImageBuffer::<P, Vec<u8>>::new(frame.width, frame.height);
    let bytes = usize::from(P::CHANNEL_COUNT);
    // The columns that both have: where they begin in each, and how many.
    let from = frame.left.max(0).min(i64::from(picture.width()));
    let to = (frame.left + i64::from(frame.width)).clamp(from, i64::from(picture.width()));
    let (own, there, length) =
        (bytes * from as usize, bytes * (from - frame.left).max(0) as usize, bytes * (to - from) as usize);
    let (own_row, canvas_row) = (bytes * picture.width() as usize, bytes * frame.width as usize);
    for (y, row) in canvas.as_mut().chunks_exact_mut(canvas_row).enumerate() {
        let source = y as i64 + frame.top;
        if length > 0 && (0..i64::from(picture.height())).contains(&source) {
            let start = own_row * source as usize + own;
            row[there..there + length].copy_from_slice(&picture.as_raw()[start..start + length]);
        }
    }
    canvas
}

/// Lays the car over the ground, its shadow and its reflection.
fn laid(
    photo: &RgbImage,
    alpha: &GrayImage,
    mut ground: RgbImage,
    footprint: &Footprint,
    gloss: f32,
    outline: &Outline,
) -> RgbImage {
    let (width, height) = photo.dimensions();
    let reach = (width.max(height) / 400).clamp(2, 6);
    let fade = (REFLECTED * outline.height()).max(1.0);
    let first_line = footprint.line.iter().flatten().copied().fold(f32::MAX, f32::min);
    let wide = width as usize;
    let rows = ground.as_mut().chunks_exact_mut(3 * wide).zip(photo.as_raw().chunks_exact(3 * wide));
    let mattes = alpha.as_raw().chunks_exact(wide).zip(footprint.dark.as_raw().chunks_exact(wide));
    for (y, ((places, own), (cars, darks))) in (0..height).zip(rows.zip(mattes)) {
        let mirrors = gloss > 0.0 && y as f32 > first_line;
        for x in 0..wide {
            let (car, dark) = (cars[x], darks[x]);
            let place = &mut places[3 * x..3 * x + 3];
            if car == 255 {
                place.copy_from_slice(&own[3 * x..3 * x + 3]);
                continue;
            }
            if car == 0 && dark == 0 && !mirrors {
                continue;
            }
            let mut under = [f32::from(place[0]), f32::from(place[1]), f32::from(place[2])];
            if mirrors && let Some((colour, share)) = reflection(photo, alpha, footprint, (x as u32, y), fade) {
                under = std::array::from_fn(|c| under[c] + (colour[c] - under[c]) * share * gloss);
            }
            let light = 1.0 - f32::from(dark) / 255.0;
            let share = f32::from(car) / 255.0;
            let colour = if car == 0 { [0.0; 3] } else { car_colour(photo, alpha, x as u32, y, reach) };
            for c in 0..3 {
                let mixed = colour[c] * share + under[c] * light * (1.0 - share);
                place[c] = (mixed + 0.5).clamp(0.0, 255.0) as u8;
            }
        }
    }
    ground
}

/// What of the car a polished floor shows at a place below it, and how strongly.
fn reflection(
    photo: &RgbImage,
    alpha: &GrayImage,
    footprint: &Footprint,
    (x, y): (u32, u32),
    fade: f32,
) -> Option<([f32; 3], f32)> {
    let line = footprint.line.get(x as usize).copied().flatten()?;
    let below = y as f32 - line;
    if below <= 0.0 || below >= fade {
        return None;
    }
    let above = (line - below).max(0.0) as u32;
    let share = f32::from(alpha.get_pixel_checked(x, above)?.0[0]) / 255.0 * (1.0 - below / fade).powi(2);
    (share > 0.0).then(|| (photo.get_pixel(x, above).0.map(f32::from), share))
}

/// What the car alone looks like at a place of its soft rim: the nearby inside of the car replaces
/// the part of the old background that shines through.
fn car_colour(photo: &RgbImage, alpha: &GrayImage, x: u32, y: u32, reach: u32) -> [f32; 3] {
    let own = photo.get_pixel(x, y).0.map(f32::from);
    let (mut sum, mut count) = ([0_u32; 3], 0_u32);
    let wide = photo.width() as usize;
    let (left, right) = (x.saturating_sub(reach) as usize, (x + reach + 1).min(photo.width()) as usize);
    for near_y in y.saturating_sub(reach)..=(y + reach).min(photo.height() - 1) {
        let row = near_y as usize * wide;
        let pixels = photo.as_raw()[3 * (row + left)..3 * (row + right)].chunks_exact(3);
        for (share, inside) in alpha.as_raw()[row + left..row + right].iter().zip(pixels) {
            if *share >= 250 {
                (0..3).for_each(|c| sum[c] += u32::from(inside[c]));
                count += 1;
            }
        }
    }
    if count == 0 {
        return own;
    }
    let share = f32::from(alpha.get_pixel(x, y).0[0]) / 255.0;
    std::array::from_fn(|c| own[c] * share + sum[c] as f32 / count as f32 * (1.0 - share))
}

/// The colour of the light in the photo, from what surrounds the car's lower half, within narrow bounds: the scene
/// takes it on, because the car's own pixels are never altered.
fn tint(photo: &RgbImage, alpha: &GrayImage) -> [f32; 3] {
    let (mut sums, mut count) = ([0_u64; 3], 0_u64);
    for y in (photo.height() / 2..photo.height()).step_by(4) {
        for x in (0..photo.width()).step_by(4) {
            if alpha.get_pixel(x, y).0[0] == 0 {
                let pixel = photo.get_pixel(x, y).0;
                (0..3).for_each(|c| sums[c] += u64::from(pixel[c]));
                count += 1;
            }
        }
    }
    let mean = sums.iter().sum::<u64>() as f32 / 3.0;
    if count == 0 || mean <= 0.0 {
        return [1.0; 3];
    }
    sums.map(|sum| 1.0 + ((sum as f32 / mean - 1.0) * TINT_SHARE).clamp(-TINT, TINT))
}

/// The car alone; what is not car is transparent.
pub fn cut_out(photo: &RgbImage, alpha: &GrayImage) -> RgbaImage {
    let reach = (photo.width().max(photo.height()) / 400).clamp(2, 6);
    RgbaImage::from_fn(photo.width(), photo.height(), |x, y| {
        let (own, share) = (photo.get_pixel(x, y).0, alpha.get_pixel(x, y).0[0]);
        let [r, g, b] = match share {
            0 => [0; 3],
            255 => own,
            _ => car_colour(photo, alpha, x, y, reach).map(|c| c.round().clamp(0.0, 255.0) as u8),
        };
        Rgba([r, g, b, share])
    })
}

/// Prints a logo into the upper left corner, where no car is; on a light ground its white disappears.
pub fn print_logo(picture: &mut RgbImage, alpha: &GrayImage, logo: &RgbImage) {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let scale = (LOGO * width / logo.width() as f32).min(LOGO * height / logo.height() as f32);
    let side = |length: u32| ((length as f32 * scale).round() as u32).max(1);
    let printed = stretched(logo, (side(logo.width()), side(logo.height())));
    let margin = (LOGO_MARGIN * width) as u32;
    for (x, y, ink) in printed.enumerate_pixels() {
        let (x, y) = (x + margin, y + margin);
        if alpha.get_pixel_checked(x, y).is_some_and(|a| a.0[0] == 0)
            && let Some(place) = picture.get_pixel_mut_checked(x, y)
        {
            let is_light = place.0.iter().all(|value| *value >= 128);
            let mixed =
                |c: usize| if is_light { (u16::from(place.0[c]) * u16::from(ink.0[c]) / 255) as u8 } else { ink.0[c] };
            place.0 = [mixed(0), mixed(1), mixed(2)];
        }
    }
}

#[cfg(test)]
#[path = "stage_tests.rs"]
mod tests;
