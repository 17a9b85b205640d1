//! What a cut-out is worth, judged from its shape, its outline and the photo: pure pixel work.

use async_graphql::Enum;
use image::GrayImage;
use keroxio_plugin_sdk::{Matte, Photo, Point};
use serde::{Deserialize, Serialize};

use crate::pixels::{fitted, reduced_photo, reduced_size};

/// Longer side, in pixels, at which pictures are judged.
const SIDE: u32 = 256;
/// Below this, the outline is a guess (see [`Matte::confidence`]). Of 300 photos of a car 1 lies below, of 64 with masks
/// none; of 200 house fronts none is above that seems to show a car of more than 3 % of the photo. At 0.86 it was 0 and
/// 1, at 0.90 it is 4 and 0, at 0.94 90 and 0.
const DECIDED: f32 = 0.88;
/// Share of a side of the photo that the car may touch before it counts as cut by it. Tyres may come near the bottom.
const TOUCHED: f32 = 0.06;
/// Sides of the photo beyond which nearly no whole view of a car goes on.
const MOST_SIDES: usize = 3;
/// A car fills this part of its own rectangle, and the rectangle is this wide for its height. Of 320 whole cars of
/// Car-Parts, 98 in 100 lie from 0.59 to 0.88 and from 0.66 to 2.9, all from 0.45 to 0.93 and from 0.58 to 3.2.
const FILLED: std::ops::RangeInclusive<f32> = 0.45..=0.97;
const WIDE: std::ops::RangeInclusive<f32> = 0.6..=4.5;
/// Pieces of at least this share of the car, apart from it.
const PIECE: f32 = 0.08;
/// A smaller car leaves a buyer nothing to see.
const SMALL: f32 = 0.08;
/// Grey level that nine pixels in ten stay below on a photo that is too dark.
const DARK: u8 = 70;
/// Variance of the Laplacian inside the car, at the size of judging, below which it is out of focus.
const SHARP: f32 = 45.0;

/// How good a cut-out is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Not to be shown: only the original background is.
    Rejected,
    /// To be shown, with remarks.
    Usable,
    Good,
}

/// What is wrong with a photo or its cut-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[graphql(name = "PhotoRemarkCode")]
#[serde(rename_all = "snake_case")]
pub enum Remark {
    /// No car stands out.
    NoCar,
    /// The outline of the car is a guess.
    UnsureOutline,
    /// What was cut out has not the shape of a car.
    UnlikelyShape,
    /// Something apart from the car was cut out with it.
    InPieces,
    /// The car's plate is not on what was cut out: it may be another car.
    PlateOutside,
    /// The car goes on outside the photo.
    CutByFrame,
    /// The car is small in the photo.
    SmallCar,
    /// Too little light.
    TooDark,
    /// Out of focus or shaken.
    TooBlurred,
    /// Somebody was cut out with the car, or sits in it.
    PersonInView,
}

impl Grade {
    pub fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Usable => "usable",
            Self::Good => "good",
        }
    }
}

impl Remark {
    /// Whether a cut-out with this fault would show something else than the car.
    fn is_fatal(self) -> bool {
        matches!(self, Self::NoCar | Self::UnsureOutline | Self::UnlikelyShape | Self::PlateOutside)
    }
}

/// A grade and its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub grade: Grade,
    pub remarks: Vec<Remark>,
}

impl Verdict {
    /// Judges a cut-out; `plate` is the middle of the car's own plate, in pixels of the photo, where it is known.
    pub fn of(photo: &Photo, matte: &Matte, plate: Option<Point>) -> Self {
        let mut remarks = if matte.found { shape(photo, matte, plate) } else { vec![Remark::NoCar] };
        remarks.extend(light(photo, matte));
        let grade = if remarks.iter().any(|remark| remark.is_fatal()) {
            Grade::Rejected
        } else if remarks.is_empty() {
            Grade::Good
        } else {
            Grade::Usable
        };
        Self { grade, remarks }
    }

    /// Adds what was found out later and is not fatal.
    pub fn add(&mut self, remark: Remark) {
        self.remarks.push(remark);
        self.grade = self.grade.min(Grade::Usable);
    }

    pub fn sees_no_car(&self) -> bool {
        self.remarks.contains(&Remark::NoCar)
    }

    /// Whether something is wrong that another network, or a closer look, may do better.
    pub fn may_improve(&self) -> bool {
        self.remarks.iter().any(|remark| remark.is_fatal() || *remark == Remark::InPieces)
    }
}

fn shape(photo: &Photo, matte: &Matte, plate: Option<Point>) -> Vec<Remark> {
    let Some(small) = reduced(&matte.alpha) else { return vec![Remark::NoCar] };
    let is_car = |x: u32, y: u32| small.get_pixel(x, y).0[0] >= 128;
    let places = || (0..small.height()).flat_map(|y| (0..small.width()).map(move |x| (x, y)));
    let car: Vec<(u32, u32)> = places().filter(|(x, y)| is_car(*x, *y)).collect();
    let ends = |values: &mut dyn Iterator<Item = u32>| values.fold((u32::MAX, 0), |(l, h), v| (l.min(v), h.max(v)));
    let (left, right) = ends(&mut car.iter().map(|(x, _)| *x));
    let (top, bottom) = ends(&mut car.iter().map(|(_, y)| *y));
    if car.is_empty() {
        return vec![Remark::NoCar];
    }
    let (width, height) = ((right - left + 1) as f32, (bottom - top + 1) as f32);
    let sides = touched(&small);
    let cut = sides > 0;
    let mut remarks = Vec::new();
    if matte.confidence < DECIDED {
        remarks.push(Remark::UnsureOutline);
    }
    let filled = car.len() as f32 / (width * height);
    let is_car_like = FILLED.contains(&filled) && WIDE.contains(&(width / height));
    // Of a car that goes on outside the photo, any part may be in view. What goes on at most sides and shows no plate of
    // a car may as well be its seats.
    let shows_plate = plate.is_some_and(|at| !is_outside(photo, matte, at));
    if !cut && !is_car_like || sides >= MOST_SIDES && !shows_plate {
        remarks.push(Remark::UnlikelyShape);
    }
    if second_piece(&small) >= PIECE {
        remarks.push(Remark::InPieces);
    }
    if plate.is_some_and(|at| is_outside(photo, matte, at)) {
        remarks.push(Remark::PlateOutside);
    }
    if cut {
        remarks.push(Remark::CutByFrame);
    }
    if width * height < SMALL * (small.width() * small.height()) as f32 {
        remarks.push(Remark::SmallCar);
    }
    remarks
}

/// At how many sides of the photo the car goes on beyond it.
fn touched(small: &GrayImage) -> usize {
    let (width, height) = small.dimensions();
    let share =
        |on: &dyn Fn(u32) -> bool, length: u32| (0..length).filter(|at| on(*at)).count() as f32 / length.max(1) as f32;
    let is_car = |x: u32, y: u32| small.get_pixel(x, y).0[0] >= 128;
    let goes_on = [
        share(&|y| is_car(0, y), height) > TOUCHED,
        share(&|y| is_car(width - 1, y), height) > TOUCHED,
        share(&|x| is_car(x, 0), width) > TOUCHED,
        share(&|x| is_car(x, height - 1), width) > 4.0 * TOUCHED,
    ];
    goes_on.into_iter().filter(|side| *side).count()
}

/// Size of the second largest piece as a share of the largest one.
fn second_piece(small: &GrayImage) -> f32 {
    let (width, height) = (small.width() as usize, small.height() as usize);
    let mut left: Vec<bool> = small.as_raw().iter().map(|a| *a >= 128).collect();
    let (mut largest, mut second, mut open) = (0_usize, 0_usize, Vec::new());
    for start in 0..left.len() {
        if !left[start] {
            continue;
        }
        let mut size = 0;
        left[start] = false;
        open.push(start);
        while let Some(place) = open.pop() {
            size += 1;
            let (x, y) = (place % width, place / width);
            for next_y in y.saturating_sub(1)..=(y + 1).min(height - 1) {
                for next_x in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                    let next = next_y * width + next_x;
                    if std::mem::take(&mut left[next]) {
                        open.push(next);
                    }
                }
            }
        }
        (largest, second) = if size > largest { (size, largest) } else { (largest, second.max(size)) };
    }
    if largest == 0 { 0.0 } else { second as f32 / largest as f32 }
}

fn is_outside(photo: &Photo, matte: &Matte, at: Point) -> bool {
    let place =
        |at: f32, all: u32, own: u32| ((at.max(0.0) / all as f32 * own as f32) as u32).min(own.saturating_sub(1));
    let x = place(at.x, photo.width(), matte.alpha.width());
    let y = place(at.y, photo.height(), matte.alpha.height());
    matte.alpha.get_pixel_checked(x, y).is_none_or(|alpha| alpha.0[0] < 128)
}

/// What the light and the lens did to the photo.
fn light(photo: &Photo, matte: &Matte) -> Vec<Remark> {
    let grey = grey(photo);
    let Some(grey) = grey else { return Vec::new() };
    let mut levels = grey.as_raw().clone();
    levels.sort_unstable();
    let bright = levels.get(levels.len() * 9 / 10).copied().unwrap_or(255);
    let mut remarks = Vec::new();
    if bright < DARK {
        remarks.push(Remark::TooDark);
    }
    if matte.found && sharpness(&grey, matte).is_some_and(|sharpness| sharpness < SHARP) {
        remarks.push(Remark::TooBlurred);
    }
    remarks
}

/// Variance of the Laplacian inside the car (Pech-Pacheco and others, 2000), none for a car of a few pixels.
fn sharpness(grey: &GrayImage, matte: &Matte) -> Option<f32> {
    let alpha = fitted(&matte.alpha, grey.dimensions())?;
    let (width, height) = grey.dimensions();
    let value = |x: u32, y: u32| f32::from(grey.get_pixel(x, y).0[0]);
    let (mut sum, mut squares, mut count) = (0.0_f64, 0.0_f64, 0_u32);
    for y in 1..height.saturating_sub(1) {
        for x in 1..width.saturating_sub(1) {
            if alpha.get_pixel(x, y).0[0] >= 250 {
                let around = value(x - 1, y) + value(x + 1, y) + value(x, y - 1) + value(x, y + 1);
                let laplacian = f64::from(around - 4.0 * value(x, y));
                (sum, squares, count) = (sum + laplacian, squares + laplacian * laplacian, count + 1);
            }
        }
    }
    let mean = sum / f64::from(count.max(1));
    (count >= 400).then(|| (squares / f64::from(count) - mean * mean) as f32)
}

fn reduced(alpha: &GrayImage) -> Option<GrayImage> {
    fitted(alpha, reduced_size(alpha.dimensions(), SIDE))
}

/// The photo at the size of judging, as luminance (ITU-R BT.601).
fn grey(photo: &Photo) -> Option<GrayImage> {
    let small = reduced_photo(photo, SIDE);
    let luma = |p: &[u8]| ((299 * u32::from(p[0]) + 587 * u32::from(p[1]) + 114 * u32::from(p[2])) / 1_000) as u8;
    GrayImage::from_raw(small.width(), small.height(), small.as_raw().chunks_exact(3).map(luma).collect())
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
