#![allow(clippy::unwrap_used, clippy::expect_used)]

use image::Luma;

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

#[test]
fn the_car_itself_is_unaltered() {
    let (photo, alpha) = (checked(320, 240), box_matte(320, 240));
    let result = studio(&photo, &alpha);
    assert_eq!(result.dimensions(), photo.dimensions());
    let mut inside = 0;
    for (x, y, a) in alpha.enumerate_pixels() {
        if a.0[0] == 255 {
            assert_eq!(result.get_pixel(x, y), photo.get_pixel(x, y), "{x}, {y}");
            inside += 1;
        }
    }
    assert!(inside > 10_000);
}

#[test]
fn nothing_of_the_old_background_is_left() {
    let alpha = box_matte(320, 240);
    let dark = studio(&RgbImage::from_pixel(320, 240, Rgb([0; 3])), &alpha);
    let light = studio(&RgbImage::from_pixel(320, 240, Rgb([255; 3])), &alpha);
    for (x, y, a) in alpha.enumerate_pixels() {
        if a.0[0] == 0 {
            assert_eq!(dark.get_pixel(x, y), light.get_pixel(x, y), "{x}, {y}");
        }
    }
}

#[test]
fn the_car_throws_a_shadow_under_itself() {
    let result = studio(&checked(320, 240), &box_matte(320, 240));
    let level = |x, y| result.get_pixel(x, y).0[0];
    assert!(level(160, 182) + 30 < level(160, 235), "{} against {}", level(160, 182), level(160, 235));
    assert!(level(160, 182) + 30 < level(10, 182));
}

#[test]
fn the_hull_spans_from_tyre_to_tyre() {
    let low = [None, Some(9.0), Some(5.0), Some(5.0), Some(9.0), None];
    assert_eq!(ground_line(&low), [None, Some(9.0), Some(9.0), Some(9.0), Some(9.0), None]);
    assert_eq!(ground_line(&[None, None]), [None, None]);
}

#[test]
fn empty_full_and_odd_mattes_are_survived() {
    for side in [1, 2, 33] {
        let photo = checked(side, side);
        for value in [0, 128, 255] {
            let alpha = GrayImage::from_pixel(side, side, Luma([value]));
            assert_eq!(studio(&photo, &alpha).dimensions(), (side, side));
        }
        let other = GrayImage::from_pixel(7, 3, Luma([255]));
        assert_eq!(studio(&photo, &other), photo);
    }
}

#[test]
fn a_covered_plate_has_no_detail_left() {
    for turned in [false, true] {
        let mut photo = checked(400, 300);
        let mut quad = [(100.0, 120.0), (220.0, 100.0), (225.0, 130.0), (105.0, 150.0)];
        if turned {
            quad.swap(1, 3);
        }
        mask_quads(&mut photo, &[quad]);
        let mut covered = 0;
        for y in 0..300 {
            for x in 0..400 {
                let hull = convex(&quad);
                if depth(&hull, x as f32 + 0.5, y as f32 + 0.5) > -0.7 {
                    assert_eq!(photo.get_pixel(x, y).0, COVER, "{x}, {y}");
                    covered += 1;
                }
            }
        }
        assert!(covered > 3_500, "{covered}");
        assert_eq!(photo.get_pixel(10, 10), checked(400, 300).get_pixel(10, 10));
    }
}

#[test]
fn degenerate_quads_change_nothing_and_do_not_panic() {
    let before = checked(50, 40);
    let mut photo = before.clone();
    let quads = [
        [(f32::NAN, 1.0), (2.0, 2.0), (3.0, 3.0), (4.0, 1.0)],
        [(f32::INFINITY, 1.0), (2.0, 2.0), (3.0, 3.0), (4.0, 1.0)],
        [(5.0, 5.0); 4],
        [(1.0, 1.0), (10.0, 10.0), (20.0, 20.0), (30.0, 30.0)],
        [(500.0, 500.0), (600.0, 500.0), (600.0, 550.0), (500.0, 550.0)],
        [(-500.0, -500.0), (-400.0, -500.0), (-400.0, -450.0), (-500.0, -450.0)],
        [(1e30, 0.0), (2e30, 0.0), (2e30, 1e30), (1e30, 1e30)],
    ];
    mask_quads(&mut photo, &quads);
    assert_eq!(photo, before);
}

#[test]
fn a_plate_cut_by_the_photo_is_covered_up_to_the_rim() {
    let mut photo = checked(50, 40);
    mask_quads(&mut photo, &[[(-20.0, 30.0), (20.0, 30.0), (20.0, 60.0), (-20.0, 60.0)]]);
    assert_eq!(photo.get_pixel(0, 39).0, COVER);
    assert_eq!(photo.get_pixel(18, 31).0, COVER);
}

#[test]
fn sizes_are_kept_or_reduced() {
    assert_eq!(working_size(&checked(4_000, 1_000), 2_048).dimensions(), (2_048, 512));
    assert_eq!(working_size(&checked(30, 40), 2_048), checked(30, 40));
    assert_eq!(thumbnail(&checked(3_000, 2), 320).dimensions(), (320, 1));
}

#[test]
fn jpeg_files_decode_to_the_same_size_and_carry_no_metadata() {
    let bytes = encode_jpeg(&checked(65, 33), 88).unwrap();
    let back = image::load_from_memory(&bytes).unwrap();
    assert_eq!((back.width(), back.height()), (65, 33));
    assert!(!bytes.windows(4).any(|w| w == b"Exif"));
    assert!(encode_jpeg(&RgbImage::new(0, 0), 88).is_err());
    assert!(encode_jpeg(&RgbImage::new(70_000, 1), 88).is_err());
}
