//! From a photo to ranked plates.

use image::RgbImage;
use keroxio_plate_grammar::{PlateKind, Ranked, Row, rank};
use keroxio_plugin_sdk::{CharacterReading, PlateSighting, PlateText, PluginError, Point, Quad};
use ort::session::Session;

use crate::Nets;
use crate::detector::{Area, Found, MOST, detect, keep_apart};
use crate::reader::read;
use keroxio_plugin_sdk::geometry::{Perspective, centre, contains, size};

/// Longer side in pixels of the first look, and of the second where the first found nothing readable.
const LOOKS: [u32; 2] = [512, 1_024];
/// How sure the detector must be that something may be a plate, and to report it although nothing is legible.
const LEAST_HEAT: f32 = 0.25;
const PLATE_HEAT: f32 = 0.5;
/// What is at least this legible is a plate, however unsure the detector is.
const LEGIBLE: f32 = 0.3;
/// So many plates, or one so narrow in the first look, and the second is worth its time: there may be more.
const CROWD: usize = 4;
const SMALL: f32 = 30.0;
/// A closer look shows the plate about this wide, in a picture of this many pixels.
const CLOSE_WIDTH: f32 = 150.0;
const CLOSE_SIDE: f32 = 288.0;
/// Plates that are looked at closer and read; the others in view are only reported, to be hidden.
const MOST_READ: usize = 6;
/// Margins of the cuts, as shares of the plate's width and height: corners are never quite right, and what one
/// cut loses another shows.
const FIRST_CUT: (f32, f32) = (0.02, 0.05);
const MORE_CUTS: [(f32, f32); 3] = [(0.0, 0.0), (0.05, 0.08), (0.02, 0.16)];
/// Plates that get the further cuts.
const MOST_REREAD: usize = 2;
/// Candidates answered for each plate.
const TEXTS: usize = 5;
/// A plate narrower than this share of the photo's longer side belongs to somebody else's car, or is a guess.
const NARROW: f32 = 0.035;

/// A plate with what its cuts say.
struct Candidate {
    found: Found,
    perspective: Perspective,
    cuts: Vec<Vec<Row>>,
    texts: Vec<Ranked>,
}

impl Candidate {
    fn sure(&self) -> f32 {
        self.texts.first().map_or(0.0, |best| best.probability * legible(&self.cuts))
    }
}

/// Finds and reads the plates of a photo; `newest` is the highest SIV rank that exists.
///
/// # Errors
/// [`PluginError::Failed`] when the runtime fails.
pub fn read_photo(nets: &Nets, photo: &RgbImage, newest: u64) -> Result<Vec<PlateSighting>, PluginError> {
    if photo.width() < 24 || photo.height() < 12 {
        return Ok(Vec::new());
    }
    let mut all = look(nets, photo, LOOKS[0], newest)?;
    if needs_second_look(&all, photo) {
        all.extend(look(nets, photo, LOOKS[1], newest)?);
        all.sort_by(|a, b| importance(b, photo).total_cmp(&importance(a, photo)));
        let mut apart: Vec<Candidate> = Vec::new();
        for candidate in all {
            if apart.len() < MOST && apart.iter().all(|kept| !kept.found.overlaps(&candidate.found)) {
                apart.push(candidate);
            }
        }
        all = apart;
    }
    all.retain(|c| c.found.heat >= PLATE_HEAT || c.sure() >= LEGIBLE);
    let mut sightings: Vec<(f32, PlateSighting)> =
        all.iter().map(|c| (importance(c, photo), sighting(nets, c, photo))).collect();
    sightings.sort_by(|a, b| b.0.total_cmp(&a.0));
    Ok(sightings.into_iter().map(|(_, sighting)| sighting).collect())
}

/// Nothing was read well, or there may be more than the first look shows.
fn needs_second_look(seen: &[Candidate], photo: &RgbImage) -> bool {
    let longer = photo.width().max(photo.height());
    let scale = LOOKS[0] as f32 / longer as f32;
    let small = |candidate: &Candidate| size(&candidate.found.quad).0 * scale < SMALL;
    let read = seen.iter().any(|candidate| candidate.sure() >= 0.5);
    // More pixels than the photo has show nothing more.
    longer > LOOKS[0] && (!read || seen.len() >= CROWD || seen.iter().any(small))
}

fn look(nets: &Nets, photo: &RgbImage, longest: u32, newest: u64) -> Result<Vec<Candidate>, PluginError> {
    nets.pairs.lend(|pair| {
        let mut found = detect(&mut pair.detector, photo, Area::whole(photo), longest, LEAST_HEAT)?;
        let scale = longest as f32 / photo.width().max(photo.height()) as f32;
        for one in found.iter_mut().take(MOST_READ) {
            if size(&one.quad).0 * scale < 0.6 * CLOSE_WIDTH
                && let Some(closer) = look_closer(&mut pair.detector, photo, one)?
            {
                *one = closer;
            }
        }
        keep_apart(&mut found);
        let mut candidates: Vec<Candidate> = found
            .into_iter()
            .filter_map(|found| {
                Some(Candidate {
                    perspective: Perspective::of(&found.quad)?,
                    found,
                    cuts: Vec::new(),
                    texts: Vec::new(),
                })
            })
            .collect();
        let cut = |candidate: &Candidate, margin| candidate.perspective.cut(photo, nets.contract.size(), margin);
        let firsts: Vec<RgbImage> = candidates.iter().take(MOST_READ).map(|c| cut(c, FIRST_CUT)).collect();
        for (candidate, rows) in candidates.iter_mut().zip(read(&mut pair.reader, nets.contract, &firsts)?) {
            candidate.cuts.push(rows);
            candidate.texts = rank(&together(&candidate.cuts), Some(newest), TEXTS);
        }
        candidates.sort_by(|a, b| importance(b, photo).total_cmp(&importance(a, photo)));
        for candidate in candidates.iter_mut().filter(|c| !c.cuts.is_empty()).take(MOST_REREAD) {
            let more: Vec<RgbImage> = MORE_CUTS.iter().map(|margin| cut(candidate, *margin)).collect();
            candidate.cuts.extend(read(&mut pair.reader, nets.contract, &more)?);
            candidate.texts = rank(&together(&candidate.cuts), Some(newest), TEXTS);
        }
        Ok(candidates)
    })
}

/// The same plate with more pixels: its corners become exact.
fn look_closer(detector: &mut Session, photo: &RgbImage, found: &Found) -> Result<Option<Found>, PluginError> {
    let middle = centre(&found.quad);
    let side = size(&found.quad).0 * CLOSE_SIDE / CLOSE_WIDTH;
    let area = Area::around(photo, middle, (side, 0.75 * side));
    let closer = detect(detector, photo, area, CLOSE_SIDE as u32, LEAST_HEAT)?;
    let same = closer.into_iter().filter(|one| contains(&one.quad, middle) || contains(&found.quad, centre(&one.quad)));
    Ok(same.max_by(|a, b| a.heat.total_cmp(&b.heat)).map(|one| Found { heat: one.heat.max(found.heat), ..one }))
}

/// One row per place from those of several cuts: the geometric mean, so that a cut that is sure of something
/// else counts, and one that sees nothing does not.
fn together(cuts: &[Vec<Row>]) -> Vec<Row> {
    let places = cuts.iter().map(Vec::len).min().unwrap_or(0);
    let mean = |place: usize, class: usize| {
        let logs = cuts.iter().map(|cut| cut[place][class].max(1e-6).ln());
        (logs.sum::<f32>() / cuts.len() as f32).exp()
    };
    (0..places)
        .map(|place| {
            let row: Row = std::array::from_fn(|class| mean(place, class));
            let total: f32 = row.iter().sum();
            row.map(|p| p / total.max(1e-6))
        })
        .collect()
}

/// How far the places agree on something, whatever the grammar makes of it: 0 for a smudge.
fn legible(cuts: &[Vec<Row>]) -> f32 {
    let rows = together(cuts);
    let surest = rows.iter().map(|row| row.iter().copied().fold(0.0, f32::max));
    surest.product::<f32>().powf(0.5)
}

/// Which plate is the car's: large, near the middle, read well, French.
fn importance(candidate: &Candidate, photo: &RgbImage) -> f32 {
    let middle = centre(&candidate.found.quad);
    let off = (middle.x / photo.width() as f32 - 0.5).abs();
    let wide = size(&candidate.found.quad).0 / photo.width().max(photo.height()) as f32;
    let french = candidate.texts.first().is_some_and(|best| best.kind.is_some());
    let read = candidate.sure() * if french { 0.8 } else { 0.6 };
    0.3 * candidate.found.heat + read + 4.0 * wide.min(0.25) - 0.3 * off
}

fn sighting(nets: &Nets, candidate: &Candidate, photo: &RgbImage) -> PlateSighting {
    let (right, bottom) = (photo.width() as f32, photo.height() as f32);
    let quad: Quad = candidate.found.quad.map(|p| Point { x: p.x.clamp(0.0, right), y: p.y.clamp(0.0, bottom) });
    let narrow = size(&candidate.found.quad).0 < NARROW * right.max(bottom);
    let legible = legible(&candidate.cuts);
    let text = |ranked: &Ranked| PlateText {
        text: ranked.text.clone(),
        confidence: nets.calibrated(ranked.probability * legible) * if narrow { 0.9 } else { 1.0 } * trust(ranked.kind),
        characters: characters(ranked),
    };
    let readings = candidate.texts.iter().filter(|_| legible > 0.02).map(text).collect();
    PlateSighting { quad, score: candidate.found.heat.clamp(0.0, 1.0), readings }
}

/// How far a format by itself speaks for a reading: nothing is checked of other countries' formats.
fn trust(kind: Option<PlateKind>) -> f32 {
    match kind {
        Some(PlateKind::MopedSiv) | None => 0.85,
        Some(_) => 1.0,
    }
}

fn characters(ranked: &Ranked) -> Vec<CharacterReading> {
    let pairs = ranked.text.chars().zip(&ranked.characters);
    pairs
        .map(|(character, confidence)| CharacterReading { character, confidence: confidence.clamp(0.0, 1.0) })
        .collect()
}
