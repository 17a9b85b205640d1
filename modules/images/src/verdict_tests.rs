#![allow(clippy::unwrap_used)]

use image::{Luma, Rgb, RgbImage};

use super::*;

/// A photo with detail, so that nothing in it is dark or blurred.
fn photo() -> Photo {
    Photo::from_rgb(RgbImage::from_fn(400, 300, |x, y| {
        Rgb([if (x / 3 + y / 3).is_multiple_of(2) { 220 } else { 90 }; 3])
    }))
}

/// A matte of rectangles (left, top, right, bottom).
fn matte(boxes: &[(u32, u32, u32, u32)]) -> Matte {
    let inside = |x, y| boxes.iter().any(|(l, t, r, b)| (*l..*r).contains(&x) && (*t..*b).contains(&y));
    let alpha = GrayImage::from_fn(400, 300, |x, y| Luma([if inside(x, y) { 255 } else { 0 }]));
    // A corner is missing, as no car is a rectangle.
    let covered = alpha.as_raw().iter().filter(|a| **a > 0).count() as f32 / 120_000.0;
    Matte { alpha, coverage: covered, confidence: 0.95, found: true }
}

/// Two boxes that make the outline of a car: body and cabin.
const CAR: [(u32, u32, u32, u32); 2] = [(60, 140, 340, 230), (120, 90, 280, 140)];

fn remarks(photo: &Photo, matte: &Matte, plate: Option<(f32, f32)>) -> Vec<Remark> {
    Verdict::of(photo, matte, plate.map(|(x, y)| Point { x, y })).remarks
}

#[test]
fn a_whole_car_is_good() {
    let verdict = Verdict::of(&photo(), &matte(&CAR), Some(Point { x: 200.0, y: 200.0 }));
    assert_eq!(verdict, Verdict { grade: Grade::Good, remarks: Vec::new() });
}

#[test]
fn what_is_wrong_is_named() {
    let photo = photo();
    let lost = Matte { found: false, ..matte(&[]) };
    let vague = Matte { confidence: 0.7, ..matte(&CAR) };
    let pole = matte(&[(170, 20, 230, 280)]);
    let pieces = matte(&[CAR[0], CAR[1], (10, 100, 50, 180)]);
    let near = matte(&[(0, 60, 340, 240)]);
    let far = matte(&[(180, 140, 230, 165), (190, 130, 215, 140)]);
    assert_eq!(remarks(&photo, &lost, None), [Remark::NoCar]);
    assert_eq!(remarks(&photo, &vague, None), [Remark::UnsureOutline]);
    assert_eq!(remarks(&photo, &pole, None), [Remark::UnlikelyShape]);
    assert_eq!(remarks(&photo, &pieces, None), [Remark::InPieces]);
    assert_eq!(remarks(&photo, &near, None), [Remark::CutByFrame]);
    assert_eq!(remarks(&photo, &far, None), [Remark::SmallCar]);
    let seats = matte(&[(0, 0, 400, 260), (40, 260, 360, 300)]);
    assert_eq!(remarks(&photo, &seats, None), [Remark::UnlikelyShape, Remark::CutByFrame]);
    assert_eq!(remarks(&photo, &seats, Some((200.0, 200.0))), [Remark::CutByFrame], "its plate says that it is a car");
    assert_eq!(remarks(&photo, &matte(&CAR), Some((20.0, 20.0))), [Remark::PlateOutside]);
}

#[test]
fn only_what_would_show_something_else_than_the_car_is_rejected() {
    let grade = |matte: &Matte, plate| Verdict::of(&photo(), matte, plate).grade;
    assert_eq!(grade(&Matte { found: false, ..matte(&[]) }, None), Grade::Rejected);
    assert_eq!(grade(&matte(&CAR), Some(Point { x: 20.0, y: 20.0 })), Grade::Rejected);
    assert_eq!(grade(&matte(&[(0, 60, 340, 240)]), None), Grade::Usable);
}

#[test]
fn night_and_shake_are_remarked() {
    let night = Photo::from_rgb(RgbImage::from_fn(400, 300, |x, y| {
        Rgb([if (x / 3 + y / 3).is_multiple_of(2) { 60 } else { 5 }; 3])
    }));
    let shaken = Photo::from_rgb(RgbImage::from_fn(400, 300, |x, _| Rgb([(80 + x / 4) as u8; 3])));
    assert_eq!(remarks(&night, &matte(&CAR), None), [Remark::TooDark]);
    assert_eq!(remarks(&shaken, &matte(&CAR), None), [Remark::TooBlurred]);
}

#[test]
fn remarks_are_stored_by_names_that_stay() {
    let stored = serde_json::to_value([Remark::NoCar, Remark::PlateOutside, Remark::TooBlurred]).unwrap();
    assert_eq!(stored, serde_json::json!(["no_car", "plate_outside", "too_blurred"]));
}
