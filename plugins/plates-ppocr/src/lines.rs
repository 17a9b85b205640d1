//! Every line of text in a photo.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{PixelType, ResizeOptions, Resizer};
use image::RgbImage;
use image::imageops::{rotate90, rotate180, rotate270};
use keroxio_plugin_sdk::{PluginError, Point, TextLine};

use crate::boxes::text_lines;
use crate::nets::{Nets, Pair, failed};

/// Longer side in pixels of what is looked at.
const SIDE: u32 = 1_600;
const THRESHOLD: f32 = 0.3;
/// Lines read of one photo at most.
const MOST: usize = 160;
/// Lines read to see which way up a photo is.
const SAMPLE: usize = 12;
/// A less sure line is noise.
const LEAST: f32 = 0.5;
/// Sample lines of a photo the right way up are read at least so surely, and have so many letters on average.
const UPRIGHT: f32 = 0.85;
const LEAST_LETTERS: f32 = 3.0;

/// # Errors
/// [`PluginError::Failed`] when the runtime fails.
pub fn read(nets: &Nets, photo: &RgbImage) -> Result<Vec<TextLine>, PluginError> {
    if photo.width() < 32 || photo.height() < 32 {
        return Ok(Vec::new());
    }
    nets.with_pair(|pair| {
        let mut best: Option<(f32, u32)> = None;
        for turns in 0..4 {
            let sample = pass(nets, pair, &turned(photo, turns), SAMPLE)?;
            let (letters, sure) = letters(&sample);
            if best.is_none_or(|(most, _)| sure > most) {
                best = Some((sure, turns));
            }
            // Lines that lie on their side are surely read too, as one letter each.
            if letters >= LEAST_LETTERS * sample.len() as f32 && sure >= UPRIGHT * letters && letters > 0.0 {
                break;
            }
        }
        let turns = best.map_or(0, |(_, turns)| turns);
        let upright = turned(photo, turns);
        let mut lines = pass(nets, pair, &upright, MOST)?;
        for point in lines.iter_mut().flat_map(|line| &mut line.quad) {
            *point = turned_back(*point, turns, (upright.width() as f32, upright.height() as f32));
        }
        Ok(lines)
    })
}

/// Letters read, and how many of them surely: two letters are read surely upside down.
fn letters(lines: &[TextLine]) -> (f32, f32) {
    let count = |line: &TextLine| line.text.chars().count() as f32;
    (lines.iter().map(count).sum(), lines.iter().map(|line| count(line) * line.confidence).sum())
}

fn turned(photo: &RgbImage, quarters: u32) -> RgbImage {
    match quarters {
        1 => rotate90(photo),
        2 => rotate180(photo),
        3 => rotate270(photo),
        _ => photo.clone(),
    }
}

/// A point of the turned photo in the photo itself.
fn turned_back(point: Point, quarters: u32, (width, height): (f32, f32)) -> Point {
    match quarters {
        1 => Point { x: point.y, y: width - point.x },
        2 => Point { x: width - point.x, y: height - point.y },
        3 => Point { x: height - point.y, y: point.x },
        _ => point,
    }
}

fn pass(nets: &Nets, pair: &mut Pair, photo: &RgbImage, most: usize) -> Result<Vec<TextLine>, PluginError> {
    let map = nets.detect(pair, &shrunk(photo)?)?;
    let mut lines = Vec::new();
    for tilted in text_lines(&map, photo, THRESHOLD, most) {
        if let Some((text, confidence)) = nets.line(pair, &tilted.long_strip(photo))?
            && confidence >= LEAST
            && !text.is_empty()
        {
            lines.push(TextLine { text, confidence, quad: tilted.quad(photo) });
        }
    }
    Ok(lines)
}

/// The photo with both sides multiples of 32; small ones are not made larger than double.
fn shrunk(photo: &RgbImage) -> Result<RgbImage, PluginError> {
    let factor = (SIDE as f32 / photo.width().max(photo.height()) as f32).min(2.0);
    let fit = |side: u32| ((side as f32 * factor / 32.0).round() as u32).max(1) * 32;
    let (width, height) = (fit(photo.width()), fit(photo.height()));
    let mut small = Image::new(width, height, PixelType::U8x3);
    let source = ImageRef::new(photo.width(), photo.height(), photo.as_raw(), PixelType::U8x3).map_err(failed)?;
    Resizer::new().resize(&source, &mut small, &ResizeOptions::new()).map_err(failed)?;
    RgbImage::from_raw(width, height, small.into_vec()).ok_or_else(|| failed("a resized photo lost pixels"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn a_point_comes_back_from_every_turn() {
        let mut photo = RgbImage::new(40, 20);
        photo.put_pixel(7, 3, Rgb([255, 0, 0]));
        for quarters in 0..4 {
            let turned = turned(&photo, quarters);
            let (x, y, _) = turned.enumerate_pixels().find(|(.., pixel)| pixel.0[0] == 255).unwrap();
            let centre = Point { x: x as f32 + 0.5, y: y as f32 + 0.5 };
            let back = turned_back(centre, quarters, (turned.width() as f32, turned.height() as f32));
            assert_eq!((back.x, back.y), (7.5, 3.5), "{quarters}");
        }
    }
}
