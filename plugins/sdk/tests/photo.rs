//! What a decoded photo is: its colours, and its half.
#![allow(clippy::unwrap_used)]

use image::codecs::jpeg::JpegEncoder;
use image::{ImageEncoder as _, Rgb, RgbImage};
use keroxio_plugin_sdk::{DecodeLimits, Photo};
use moxcms::ColorProfile;

#[test]
fn a_photo_with_a_colour_profile_is_decoded_to_srgb() {
    let picture = RgbImage::from_pixel(80, 60, Rgb([234, 51, 35]));
    let file = |profile: Option<Vec<u8>>| {
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 100);
        if let Some(profile) = profile {
            encoder.set_icc_profile(profile).unwrap();
        }
        encoder.encode_image(&picture).unwrap();
        bytes
    };
    let middle = |bytes: &[u8]| Photo::decode(bytes, DecodeLimits::default()).unwrap().rgb().get_pixel(40, 30).0;
    let near = |a: [u8; 3], b: [u8; 3]| a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 6);
    let plain = middle(&file(None));
    assert!(near(plain, [234, 51, 35]), "{plain:?}");
    let wide = middle(&file(Some(ColorProfile::new_display_p3().encode().unwrap())));
    assert!(near(wide, [255, 0, 0]), "the red of a Display P3 photo is stronger: {wide:?}");
    assert_eq!(middle(&file(Some(ColorProfile::new_srgb().encode().unwrap()))), plain);
    assert_eq!(middle(&file(Some(b"no profile".to_vec()))), plain);
}

#[test]
fn the_half_of_a_large_photo_is_the_mean_of_every_four_pixels() {
    let drawn = RgbImage::from_fn(3_001, 201, |x, y| Rgb([(x % 251) as u8, (y % 200) as u8, ((x ^ y) % 256) as u8]));
    let photo = Photo::from_rgb(drawn.clone());
    let half = photo.half().unwrap();
    assert_eq!(half.dimensions(), (1_500, 100));
    for (x, y, pixel) in half.enumerate_pixels() {
        let four = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| drawn.get_pixel(2 * x + dx, 2 * y + dy).0);
        let mean = |c: usize| ((four.iter().map(|p| u16::from(p[c])).sum::<u16>() + 2) / 4) as u8;
        assert_eq!(pixel.0, [mean(0), mean(1), mean(2)], "{x}, {y}");
    }
    assert_eq!(photo.source(4.0).1, 0.5);
    assert_eq!(photo.source(3.9).1, 1.0, "from its half it would show less");
    let small = Photo::from_rgb(RgbImage::new(2_900, 10));
    assert!(small.half().is_none() && small.source(100.0).1 == 1.0);
}
