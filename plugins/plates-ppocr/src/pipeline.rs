use std::collections::BTreeMap;

use fast_image_resize::images::Image;
use fast_image_resize::{PixelType, ResizeOptions, Resizer};
use image::RgbImage;
use keroxio_plate_grammar::{Plate, PlateKind};
use keroxio_plugin_sdk::{CharacterReading, PlateSighting, PlateText, PluginError};

use crate::boxes::plate_shaped;
use crate::geometry::Tilted;
use crate::nets::{Nets, Pair, failed};
use crate::text::{Reading, mean, readings};

/// Longer side in pixels and threshold of the first pass, and of the second where the first found no French plate.
const PASSES: [(u32, f32); 2] = [(960, 0.3), (1_440, 0.2)];
/// Extra cuts of a plausible plate: margins as shares of the height (left and right, top and bottom), slant.
const MORE_CUTS: [(f32, f32, f32); 4] = [(0.15, 0.08, 0.0), (-0.05, -0.10, 0.0), (0.1, 0.0, 0.15), (0.1, 0.0, -0.15)];
/// Sightings that get the extra cuts.
const MOST_REREAD: usize = 3;
/// What looks less like a plate is not returned: masking must not paint every sign.
const LEAST_SCORE: f32 = 0.35;

/// A box with what its first cut says.
struct Candidate {
    tilted: Tilted,
    cuts: Vec<Vec<Reading>>,
    rank: f32,
}

/// Finds and reads the plates of a photo.
///
/// # Errors
/// [`PluginError::Failed`] when the runtime fails.
pub fn read(nets: &Nets, photo: &RgbImage) -> Result<Vec<PlateSighting>, PluginError> {
    if photo.width() < 32 || photo.height() < 16 {
        return Ok(Vec::new());
    }
    nets.with_pair(|pair| {
        let mut best = Vec::new();
        for (side, threshold) in PASSES {
            let sightings = pass(nets, pair, photo, side, threshold)?;
            if best.is_empty() || top(&sightings) > top(&best) {
                best = sightings;
            }
            if top(&best) >= 0.8 {
                break;
            }
        }
        Ok(best)
    })
}

fn top(sightings: &[PlateSighting]) -> f32 {
    sightings.first().map_or(0.0, |s| s.score)
}

fn pass(
    nets: &Nets,
    pair: &mut Pair,
    photo: &RgbImage,
    side: u32,
    threshold: f32,
) -> Result<Vec<PlateSighting>, PluginError> {
    let map = nets.detect(pair, &shrunk(photo, side)?)?;
    let mut candidates = Vec::new();
    for tilted in plate_shaped(&map, photo, threshold) {
        let cut = readings(&nets.recognize(pair, &tilted.strip(photo, 0.0))?);
        if let Some(best) = cut.first() {
            let rank = best.score + if best.french { 1.0 } else { 0.0 } + weight(&tilted, photo);
            candidates.push(Candidate { tilted, cuts: vec![cut], rank });
        }
    }
    candidates.sort_by(|a, b| b.rank.total_cmp(&a.rank));
    for candidate in candidates.iter_mut().take(MOST_REREAD) {
        for (horizontal, vertical, slant) in MORE_CUTS {
            let height = candidate.tilted.height;
            let grown = candidate.tilted.grown(horizontal * height, vertical * height);
            candidate.cuts.push(readings(&nets.recognize(pair, &grown.strip(photo, slant))?));
        }
    }
    let mut sightings: Vec<(f32, PlateSighting)> = candidates.iter().filter_map(|c| sighting(c, photo)).collect();
    sightings.sort_by(|a, b| b.0.total_cmp(&a.0));
    Ok(sightings.into_iter().map(|(_, s)| s).collect())
}

/// Between plates that read equally well, the larger and more central one belongs to the car for sale.
fn weight(tilted: &Tilted, photo: &RgbImage) -> f32 {
    let off = (tilted.centre.x / photo.width() as f32 - 0.5).abs();
    (tilted.width / photo.width() as f32).min(0.3) - 0.2 * off
}

fn sighting(candidate: &Candidate, photo: &RgbImage) -> Option<(f32, PlateSighting)> {
    let (texts, french) = vote(&candidate.cuts);
    let best = texts.first()?;
    let sure = mean(&best.characters.iter().map(|c| c.confidence).collect::<Vec<_>>());
    let score = if french { 0.4 + 0.3 * sure + 0.3 * best.confidence } else { 0.7 * sure * best.confidence.max(0.5) };
    let score = score.clamp(0.0, 1.0);
    let rank = score + weight(&candidate.tilted, photo);
    let quad = candidate.tilted.quad(photo);
    (score >= LEAST_SCORE).then_some((rank, PlateSighting { quad, score, readings: texts }))
}

/// Lets the cuts vote. French readings win over foreign ones; the confidence of a text is its share
/// of all votes, each vote being worth its weakest character and mean.
fn vote(cuts: &[Vec<Reading>]) -> (Vec<PlateText>, bool) {
    let french = cuts.iter().filter_map(|c| c.first()).any(|r| r.french);
    let mut tally: BTreeMap<&str, (f32, &Reading)> = BTreeMap::new();
    for cut in cuts {
        let ranked = cut.iter().filter(|r| r.french == french).take(3);
        for (place, reading) in ranked.enumerate() {
            // A second choice counts little: it only decides between firsts that disagree.
            let worth = worth(reading) * if place == 0 { 1.0 } else { 0.05 };
            let entry = tally.entry(&reading.text).or_insert((0.0, reading));
            entry.0 += worth;
            if reading.score > entry.1.score {
                entry.1 = reading;
            }
        }
    }
    let mut ranked: Vec<(f32, &Reading)> = tally.into_values().collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.text.cmp(&b.1.text)));
    ranked.truncate(5);
    let text = |(votes, reading): (f32, &Reading)| PlateText {
        text: reading.text.clone(),
        confidence: (votes / cuts.len().max(1) as f32).clamp(0.0, 1.0) * trust(&reading.text),
        characters: characters(reading),
    };
    (ranked.into_iter().map(text).collect(), french)
}

/// How far a format by itself speaks for a reading. Old numbers have so loose a format that dealers'
/// frames and dates fit it; of other countries' formats nothing is checked.
fn trust(text: &str) -> f32 {
    match Plate::parse(text).map(|plate| plate.kind()) {
        Ok(PlateKind::Siv | PlateKind::WwProvisional | PlateKind::WGarage) => 1.0,
        Ok(PlateKind::Fni | PlateKind::MopedSiv) => 0.95,
        Err(_) => 0.85,
    }
}

fn worth(reading: &Reading) -> f32 {
    let weakest = reading.characters.iter().copied().fold(1.0, f32::min);
    (0.5 * weakest + 0.5 * mean(&reading.characters)).clamp(0.0, 1.0)
}

fn characters(reading: &Reading) -> Vec<CharacterReading> {
    let pairs = reading.text.chars().zip(&reading.characters);
    pairs
        .map(|(character, confidence)| CharacterReading { character, confidence: confidence.clamp(0.0, 1.0) })
        .collect()
}

/// The photo with its longer side at `side` pixels at most, both sides multiples of 32.
fn shrunk(photo: &RgbImage, side: u32) -> Result<RgbImage, PluginError> {
    let longer = photo.width().max(photo.height()) as f32;
    // Small photos are doubled at most: larger letters are found better, invented pixels are not.
    let factor = (side as f32 / longer).min(2.0);
    let fit =
        |length: u32| (((length as f32 * factor / 32.0).round() as u32).max(1) * 32).min(side.next_multiple_of(32));
    let (width, height) = (fit(photo.width()), fit(photo.height()));
    let mut small = Image::new(width, height, PixelType::U8x3);
    let source =
        fast_image_resize::images::ImageRef::new(photo.width(), photo.height(), photo.as_raw(), PixelType::U8x3)
            .map_err(failed)?;
    Resizer::new().resize(&source, &mut small, &ResizeOptions::new()).map_err(failed)?;
    RgbImage::from_raw(width, height, small.into_vec()).ok_or_else(|| failed("a resized photo lost pixels"))
}
