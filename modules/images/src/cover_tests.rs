#![allow(clippy::unwrap_used, clippy::expect_used)]

use image::Rgb;

use super::*;

/// Every pixel differs from its neighbours, so that any alteration shows.
fn checked(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(x * 37 % 256) as u8, (y * 53 % 256) as u8, ((x ^ y) % 256) as u8]))
}

#[test]
fn a_covered_plate_has_no_detail_left() {
    for turned in [false, true] {
        let mut photo = checked(400, 300);
        let mut quad = [(100.0, 120.0), (220.0, 100.0), (225.0, 130.0), (105.0, 150.0)];
        if turned {
            quad.swap(1, 3);
        }
        mask_quads(&mut photo, &[quad], Paint::Solid);
        let mut covered = 0;
        for y in 0..300 {
            for x in 0..400 {
                let hull = convex(&quad);
                if depth(&hull, x as f32 + 0.5, y as f32 + 0.5) > -0.7 {
                    assert_eq!(photo.get_pixel(x, y).0, EVEN, "{x}, {y}");
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
    mask_quads(&mut photo, &quads, Paint::Solid);
    assert_eq!(photo, before);
}

#[test]
fn a_plate_cut_by_the_photo_is_covered_up_to_the_rim() {
    let mut photo = checked(50, 40);
    mask_quads(&mut photo, &[[(-20.0, 30.0), (20.0, 30.0), (20.0, 60.0), (-20.0, 60.0)]], Paint::Solid);
    assert_eq!(photo.get_pixel(0, 39).0, EVEN);
    assert_eq!(photo.get_pixel(18, 31).0, EVEN);
}

#[test]
fn a_blurred_plate_keeps_its_colours_and_no_detail() {
    let plate = [(100.0, 120.0), (220.0, 100.0), (225.0, 130.0), (105.0, 150.0)];
    let stripes = |shift: u32| {
        RgbImage::from_fn(400, 300, move |x, _| Rgb([if ((x + shift) / 4).is_multiple_of(2) { 250 } else { 50 }; 3]))
    };
    let mut photos = [stripes(0), stripes(4)];
    photos.iter_mut().for_each(|photo| mask_quads(photo, &[plate], Paint::Blur));
    for (x, y) in [(120, 125), (160, 125), (200, 118)] {
        let values = photos.each_ref().map(|photo| photo.get_pixel(x, y).0[0]);
        // Opposite stripes become the same grey: nobody can tell them apart.
        assert!(values[0].abs_diff(values[1]) <= 12 && (130..170).contains(&values[0]), "{x}, {y}: {values:?}");
    }
}

#[test]
fn an_inlay_lies_in_the_perspective_of_the_plate() {
    let mut photo = checked(400, 300);
    let logo = RgbImage::from_fn(100, 20, |x, _| Rgb(if x < 50 { [200, 0, 0] } else { [0, 0, 200] }));
    mask_quads(&mut photo, &[[(100.0, 120.0), (220.0, 100.0), (225.0, 130.0), (105.0, 150.0)]], Paint::Inlay(&logo));
    assert_eq!((photo.get_pixel(120, 132).0, photo.get_pixel(205, 118).0), ([200, 0, 0], [0, 0, 200]));
}
