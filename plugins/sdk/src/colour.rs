//! Colours as every screen shows them.

use image::RgbImage;
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// A profile that moves no colour of a coarse grid by more than this is sRGB by another name.
const SAME: u8 = 2;
/// Bytes of a profile at most; those with tables for printers have two million. What it takes to understand one grows
/// with it.
const LARGEST: usize = 4 << 20;

/// Turns the colours of a picture with this ICC profile into those of sRGB. A profile that cannot be understood, or is
/// not one of red, green and blue, changes nothing: so do all programs that know no profiles.
pub fn to_srgb(rgb: &mut RgbImage, profile: &[u8]) {
    if profile.len() > LARGEST {
        return;
    }
    let Ok(own) = ColorProfile::new_from_slice(profile) else { return };
    if own.color_space != DataColorSpace::Rgb {
        return;
    }
    let srgb = ColorProfile::new_srgb();
    let Ok(turn) = own.create_transform_8bit(Layout::Rgb, &srgb, Layout::Rgb, TransformOptions::default()) else {
        return;
    };
    let step = |place: u32| (place % 6 * 51) as u8;
    let grid: Vec<u8> = (0..216).flat_map(|place| [step(place / 36), step(place / 6), step(place)]).collect();
    let mut turned = vec![0; grid.len()];
    let is_same = |(a, b): (&u8, &u8)| a.abs_diff(*b) <= SAME;
    if turn.transform(&grid, &mut turned).is_err() || grid.iter().zip(&turned).all(is_same) {
        return;
    }
    let width = 3 * rgb.width() as usize;
    let mut row = vec![0; width];
    for pixels in rgb.as_mut().chunks_exact_mut(width) {
        // Its length is right, which is all that can be refused.
        if turn.transform(pixels, &mut row).is_ok() {
            pixels.copy_from_slice(&row);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use image::Rgb;

    use super::*;

    fn turned(colour: [u8; 3], profile: &[u8]) -> [u8; 3] {
        let mut picture = RgbImage::from_pixel(3, 2, Rgb(colour));
        to_srgb(&mut picture, profile);
        assert_eq!(picture.get_pixel(0, 0), picture.get_pixel(2, 1));
        picture.get_pixel(0, 0).0
    }

    #[test]
    fn a_phone_with_a_wide_screen_sees_the_same_red() {
        // Display P3 (234, 51, 35) is the full red of sRGB.
        let wide = ColorProfile::new_display_p3().encode().unwrap();
        let red = turned([234, 51, 35], &wide);
        assert!(red[0] >= 253 && red[1] <= 5 && red[2] <= 5, "{red:?}");
        assert_eq!(turned([128; 3], &wide), [128; 3], "a grey is a grey");
    }

    #[test]
    fn srgb_and_nonsense_change_nothing() {
        let same = ColorProfile::new_srgb().encode().unwrap();
        let grey = ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
        for profile in [&same[..], &grey[..], &same[..100], b"", b"no profile at all"] {
            assert_eq!(turned([200, 30, 90], profile), [200, 30, 90]);
        }
    }

    #[test]
    fn damaged_profiles_end_in_some_colour_and_nothing_else() {
        let whole = ColorProfile::new_display_p3().encode().unwrap();
        let mut dice = 1_u32;
        let mut throw = |sides: usize| {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (dice >> 8) as usize % sides
        };
        for _ in 0..2_000 {
            let mut profile = whole.clone();
            for _ in 0..=throw(6) {
                // Most of what decides is in the head and the table behind it.
                let reach = if throw(2) == 0 { 260.min(profile.len()) } else { profile.len() };
                let at = throw(reach);
                profile[at] = [0, 1, 0x7f, 0x80, 0xff, throw(256) as u8][throw(6)];
            }
            profile.truncate(profile.len() - throw(4) * throw(40));
            turned([200, 30, 90], &profile);
        }
        let mut huge = whole;
        huge.resize(LARGEST + 1, 0);
        assert_eq!(turned([234, 51, 35], &huge), [234, 51, 35]);
    }
}
