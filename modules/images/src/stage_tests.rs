#![allow(clippy::unwrap_used, clippy::expect_used)]

use image::{Luma, Rgb};

use super::*;

/// Every pixel differs from its neighbours, so that any alteration shows.
fn checked(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(x * 37 % 256) as u8, (y * 53 % 256) as u8, ((x ^ y) % 256) as u8]))
}

fn box_matte(width: u32, height: u32) -> GrayImage {
    GrayImage::from_fn(width, height, |x, y| {
        let rim = |v: u32, side: u32| (v as i64 - side as i64 / 4).min(3 * side as i64 / 4 - v as i64);
        let depth = rim(x, width).min(rim(y, height));
        Luma([(depth * 64).clamp(0, 255) as u8])
    })
}

const PLAIN: Staging<'static> = Staging { scene: Scene::StudioWhite, background: None, framed: false };

fn every_staging(background: &RgbImage) -> Vec<Staging<'_>> {
    let scenes = Scene::ALL.into_iter().map(|scene| Staging { scene, ..PLAIN });
    let all: Vec<Staging<'_>> = scenes.chain([Staging { background: Some(background), ..PLAIN }]).collect();
    all.iter().copied().chain(all.iter().map(|staging| Staging { framed: true, ..*staging })).collect()
}

#[test]
fn the_car_itself_is_unaltered_in_every_scene() {
    let (photo, alpha) = (checked(320, 240), box_matte(320, 240));
    for staging in every_staging(&checked(90, 90)) {
        let staged = stage(&photo, &alpha, &staging);
        let mut inside = 0;
        for (x, y, a) in alpha.enumerate_pixels().filter(|(_, _, a)| a.0[0] == 255) {
            let (left, top) = (i64::from(x) - staged.frame.left, i64::from(y) - staged.frame.top);
            let shown = staged.picture.get_pixel(left as u32, top as u32);
            assert_eq!(shown, photo.get_pixel(x, y), "{:?} {x}, {y}: {a:?}", staging.scene);
            inside += 1;
        }
        assert!(inside > 10_000);
    }
}

#[test]
fn nothing_of_the_old_background_is_left() {
    let alpha = box_matte(320, 240);
    for staging in every_staging(&checked(90, 90)) {
        let flat = |value| stage(&RgbImage::from_pixel(320, 240, Rgb([value; 3])), &alpha, &staging);
        let (dark, light) = (flat(0), flat(255));
        // A floor that mirrors shows the car, not what was behind it.
        let glossy = staging.background.is_none() && staging.scene.gloss() > 0.0;
        let below = if glossy { 0.72 } else { 2.0 } * dark.picture.height() as f32;
        for (x, y, a) in dark.alpha.enumerate_pixels().filter(|(_, y, _)| (*y as f32) < below) {
            if a.0[0] == 0 {
                assert_eq!(dark.picture.get_pixel(x, y), light.picture.get_pixel(x, y), "{:?} {x}, {y}", staging.scene);
            }
        }
    }
}

#[test]
fn the_car_throws_a_shadow_under_itself() {
    let result = stage(&checked(320, 240), &box_matte(320, 240), &PLAIN).picture;
    let level = |x, y| result.get_pixel(x, y).0[0];
    assert!(level(160, 182) + 30 < level(160, 235), "{} against {}", level(160, 182), level(160, 235));
    assert!(level(160, 182) + 30 < level(10, 182));
}

#[test]
fn a_polished_floor_mirrors_the_car() {
    let red = RgbImage::from_pixel(320, 240, Rgb([200, 0, 0]));
    let picture = stage(&red, &box_matte(320, 240), &Staging { scene: Scene::StudioBlack, ..PLAIN }).picture;
    let under = picture.get_pixel(160, 190).0;
    assert!(under[0] > under[1] + 10, "{under:?}");
    let beside = picture.get_pixel(20, 190).0;
    assert!(beside[0].abs_diff(beside[1]) < 4, "{beside:?}");
}

#[test]
fn every_photo_of_a_set_is_framed_alike() {
    let car = |left: u32, top: u32, width: u32, height: u32| {
        GrayImage::from_fn(1_000, 800, |x, y| {
            let inside = (left..left + width).contains(&x) && (top..top + height).contains(&y);
            Luma([if inside { 255 } else { 0 }])
        })
    };
    for alpha in [car(100, 300, 600, 250), car(500, 500, 300, 125), car(300, 40, 400, 700)] {
        let staged = stage(&checked(1_000, 800), &alpha, &Staging { framed: true, ..PLAIN });
        let (width, height) = (staged.picture.width() as f32, staged.picture.height() as f32);
        let outline = Outline::of(&staged.alpha).unwrap();
        assert!((width / height - RATIO).abs() < 0.01, "{width} x {height}");
        assert!((outline.bottom / height - STANDS_AT).abs() < 0.01, "{outline:?} of {height}");
        assert!(((outline.left + outline.right) / 2.0 / width - 0.5).abs() < 0.01, "{outline:?} of {width}");
        let (wide, high) = ((outline.right - outline.left) / width, outline.height() / height);
        assert!((wide - FRAMED_WIDE).abs() < 0.01 || (high - FRAMED_HIGH).abs() < 0.01, "{wide} {high}");
    }
    let cut = stage(&checked(1_000, 800), &car(0, 300, 600, 250), &Staging { framed: true, ..PLAIN });
    assert_eq!(cut.frame, Frame::whole((1_000, 800)), "a car that the photo cuts stays where it is");
}

#[test]
fn empty_full_and_odd_mattes_are_survived() {
    for side in [1, 2, 33] {
        let photo = checked(side, side);
        for value in [0, 128, 255] {
            let alpha = GrayImage::from_pixel(side, side, Luma([value]));
            assert_eq!(stage(&photo, &alpha, &PLAIN).picture.dimensions(), (side, side));
        }
        let other = GrayImage::from_pixel(7, 3, Luma([255]));
        assert_eq!(stage(&photo, &other, &PLAIN).picture, photo);
    }
}

#[test]
fn a_cut_out_is_transparent_around_the_car() {
    let (photo, alpha) = (checked(320, 240), box_matte(320, 240));
    let picture = cut_out(&photo, &alpha);
    for (x, y, pixel) in picture.enumerate_pixels() {
        assert_eq!(pixel.0[3], alpha.get_pixel(x, y).0[0]);
        assert!(pixel.0[3] != 0 || pixel.0[..3] == [0; 3], "what was behind the car is gone");
        assert!(pixel.0[3] != 255 || pixel.0[..3] == photo.get_pixel(x, y).0);
    }
}

#[test]
fn a_logo_is_printed_beside_the_car_only() {
    let alpha = box_matte(320, 240);
    let mut picture = RgbImage::from_pixel(320, 240, Rgb([240; 3]));
    print_logo(&mut picture, &alpha, &RgbImage::from_pixel(400, 100, Rgb([0, 0, 120])));
    assert_eq!(picture.get_pixel(12, 12).0, [0, 0, 112]);
    let full = GrayImage::from_pixel(320, 240, Luma([255]));
    let mut covered = RgbImage::from_pixel(320, 240, Rgb([240; 3]));
    print_logo(&mut covered, &full, &RgbImage::from_pixel(400, 100, Rgb([0, 0, 120])));
    assert!(covered.pixels().all(|pixel| pixel.0 == [240; 3]));
}
