//! The photos of a journey on one picture, each before and after, to be looked at at once.

use std::path::Path;

use image::{Rgb, RgbImage, imageops};
use keroxio_images::pixels::stretched;
use keroxio_plugin_sdk::{DecodeLimits, Photo};
use serde_json::Value;

/// Pairs in a row, and the room of one picture in pixels.
const COLUMNS: usize = 4;
const ROOM: (u32, u32) = (320, 240);
/// Between pictures, and the height of the line under a pair that tells its verdict.
const GAP: u32 = 6;
const LINE: u32 = 14;
const PAPER: Rgb<u8> = Rgb([238, 240, 243]);
const INK: Rgb<u8> = Rgb([28, 36, 48]);

/// Digits of 3 by 5 dots, rows of three bits from the top.
const DIGITS: [[u8; 5]; 10] = [
    [7, 5, 5, 5, 7],
    [2, 6, 2, 2, 7],
    [7, 1, 7, 4, 7],
    [7, 1, 7, 1, 7],
    [5, 5, 7, 1, 1],
    [7, 4, 7, 1, 7],
    [7, 4, 7, 5, 7],
    [7, 1, 1, 1, 1],
    [7, 5, 7, 5, 7],
    [7, 5, 7, 1, 7],
];

/// Draws the sheet: for each photo its number, the original, what is shown of it, and a line in the colour of its
/// verdict (green good, amber usable, red rejected, grey none).
pub fn draw(photos: &[Value], folder: &Path) -> RgbImage {
    let cell = (2 * ROOM.0 + 3 * GAP, ROOM.1 + 2 * GAP + LINE);
    let rows = photos.len().div_ceil(COLUMNS).max(1) as u32;
    let columns = photos.len().clamp(1, COLUMNS) as u32;
    let mut sheet = RgbImage::from_pixel(columns * cell.0, rows * cell.1, PAPER);
    for (number, photo) in photos.iter().enumerate() {
        let (x, y) = ((number % COLUMNS) as u32 * cell.0 + GAP, (number / COLUMNS) as u32 * cell.1 + GAP);
        let shown = photo["cleaned"].as_str().or(photo["masked"].as_str());
        for (file, x) in [(photo["original"].as_str(), x), (shown, x + ROOM.0 + GAP)] {
            if let Some(picture) = file.and_then(|file| open(&folder.join(file))) {
                let left = x + (ROOM.0 - picture.width()) / 2;
                imageops::replace(&mut sheet, &picture, left.into(), (y + ROOM.1 - picture.height()).into());
            }
        }
        let line = RgbImage::from_pixel(2 * ROOM.0 + GAP, LINE - 4, colour(photo["verdict"].as_str()));
        imageops::replace(&mut sheet, &line, x.into(), (y + ROOM.1 + 2).into());
        print(&mut sheet, number + 1, (x + 3, y + ROOM.1 + 2));
    }
    sheet
}

/// A picture made to fit its room.
fn open(path: &Path) -> Option<RgbImage> {
    let photo = Photo::decode(&std::fs::read(path).ok()?, DecodeLimits::default()).ok()?;
    let (width, height) = (photo.width() as f32, photo.height() as f32);
    let scale = (ROOM.0 as f32 / width).min(ROOM.1 as f32 / height);
    let side = |length: f32, most: u32| ((length * scale).round() as u32).clamp(1, most);
    Some(stretched(photo.rgb(), (side(width, ROOM.0), side(height, ROOM.1))))
}

fn colour(verdict: Option<&str>) -> Rgb<u8> {
    match verdict {
        Some("GOOD") => Rgb([120, 190, 130]),
        Some("USABLE") => Rgb([236, 190, 90]),
        Some("REJECTED") => Rgb([222, 110, 100]),
        _ => Rgb([190, 196, 204]),
    }
}

fn print(sheet: &mut RgbImage, number: usize, (x, y): (u32, u32)) {
    for (place, digit) in number.to_string().bytes().enumerate() {
        let rows = DIGITS[usize::from(digit - b'0')];
        for (row, bits) in (0..).zip(rows) {
            for column in (0..3_u32).filter(|column| bits >> (2 - column) & 1 == 1) {
                let dot = RgbImage::from_pixel(2, 2, INK);
                let left = x + 8 * place as u32 + 2 * column;
                imageops::replace(sheet, &dot, left.into(), (y + 2 * row).into());
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_photo_has_its_place_and_the_colour_of_its_verdict() {
        let folder = tempfile::tempdir().unwrap();
        RgbImage::from_pixel(400, 200, Rgb([10, 20, 30])).save(folder.path().join("a.png")).unwrap();
        let photo = |verdict| json!({ "original": "a.png", "cleaned": null, "masked": "a.png", "verdict": verdict });
        let photos = [photo("GOOD"), photo("REJECTED"), json!({}), photo("USABLE"), photo("GOOD")];
        let sheet = draw(&photos, folder.path());
        assert_eq!(sheet.dimensions(), (4 * 658, 2 * 266));
        let at = |number: u32, x: u32, y: u32| *sheet.get_pixel(number % 4 * 658 + x, number / 4 * 266 + y);
        for number in [0, 1, 3, 4] {
            assert_eq!(at(number, 100, 200), Rgb([10, 20, 30]), "before {number}");
            assert_eq!(at(number, 500, 200), Rgb([10, 20, 30]), "after {number}");
        }
        assert_eq!(at(2, 100, 200), PAPER, "nothing of what failed");
        assert_eq!(at(1, 300, 252), colour(Some("REJECTED")));
        assert_eq!(at(4, 300, 252), colour(Some("GOOD")));
    }
}
