//! From a photo to ranked plates.

use image::RgbImage;
use keroxio_plate_grammar::{PlateKind, Ranked, Row, rank};
use keroxio_plugin_sdk::{CharacterReading, Photo, PlateSighting, PlateText, PluginError, Point, Quad};
use ort::session::Session;

use crate::Nets;
use crate::detector::{Area, Found, MOST, detect, keep_apart};
use crate::reader::read;
use keroxio_plugin_sdk::geometry::{Perspective, centre, contains, size};

/// Longer side in pixels of the first look. Where it found nothing readable or there may be more, a finer one
/// follows; where nothing was readable, a coarser one too, because a large plate may show better there.
const FIRST: u32 = 512;
const FINE: u32 = 1_024;
const COARSE: u32 = 352;
/// A plate read this surely ends the search.
const SURE: f32 = 0.5;
/// How sure the detector must be that something may be a plate, and to report it although nothing is legible.
const LEAST_HEAT: f32 = 0.25;
const PLATE_HEAT: f32 = 0.35;
/// Below this nothing counts as read.
const LEAST_SURE: f32 = 0.05;
/// What is at least this legible is a plate, however unsure the detector is.
const LEGIBLE: f32 = 0.3;
/// Width of a plate that is not legible at most, as a share of the photo's longer side.
const WIDEST: f32 = 0.35;
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
/// For a plate that is still in doubt: the upright rectangle around it, which needs no exact corners, and cuts that
/// lean to either side (by this share of the height).
const UPRIGHT: (f32, f32) = (0.02, 0.03);
const LEANS: [f32; 2] = [-0.12, 0.12];
const DOUBT: f32 = 0.75;
/// Plates that get the further cuts.
const MOST_REREAD: usize = 2;
/// Beside a plate that is read, what is less hot than this share of the hottest is no rival for being the car's.
const RIVAL: f32 = 0.6;
/// A first cut read this surely gets one further cut instead of all of them.
const CLEAR: f32 = 0.8;
/// Candidates answered for each plate.
const TEXTS: usize = 5;
/// A plate narrower than this share of the photo's longer side belongs to somebody else's car, or is a guess.
const NARROW: f32 = 0.035;

/// A plate with what its cuts say.
struct Candidate {
    found: Found,
    perspective: Perspective,
    cuts: Vec<Vec<Row>>,
    /// What each cut counts.
    weights: Vec<f32>,
    texts: Vec<Ranked>,
}

impl Candidate {
    /// Corners that cross over are replaced by the upright rectangle around them: even then it has to be hidden.
    fn of(found: Found) -> Option<Self> {
        let crossed = Perspective::of(&found.quad).is_none();
        let found = if crossed { Found { quad: upright(&found.quad), ..found } } else { found };
        let perspective = Perspective::of(&found.quad)?;
        Some(Self { perspective, found, cuts: Vec::new(), weights: Vec::new(), texts: Vec::new() })
    }

    /// A cut that lost a character says something else for sure: what makes a plate by itself counts more.
    fn add(&mut self, cuts: Vec<Vec<Row>>, newest: u64) {
        for cut in cuts {
            let alone = rank(&cut, Some(newest), 1);
            let plate =
                alone.first().map_or(0.0, |best| best.probability * if best.kind.is_some() { 1.0 } else { 0.6 });
            self.weights.push(0.05 + plate * legible(&cut));
            self.cuts.push(cut);
        }
        self.texts = rank(&together(&self.cuts, &self.weights), Some(newest), TEXTS);
    }

    /// Other ways to see the plate, where its corners may be wrong, with the margins to cut them with.
    fn other_views(&self) -> impl Iterator<Item = (Perspective, (f32, f32))> {
        let [a, b, c, d] = self.found.quad;
        let leaning = LEANS.map(|lean| {
            let shift = lean * size(&self.found.quad).1;
            let moved = |p: Point, by: f32| Point { x: p.x + by, y: p.y };
            ([moved(a, shift), moved(b, shift), moved(c, -shift), moved(d, -shift)], FIRST_CUT)
        });
        let views = std::iter::once((upright(&self.found.quad), UPRIGHT)).chain(leaning);
        views.filter_map(|(quad, margin)| Some((Perspective::of(&quad)?, margin)))
    }

    /// Probability of the best text, less what the places leave open.
    fn sure(&self) -> f32 {
        self.texts.first().map_or(0.0, |best| best.probability * self.legible())
    }

    /// How far the places agree on something, whatever the grammar makes of it: 0 for a smudge.
    fn legible(&self) -> f32 {
        legible(&together(&self.cuts, &self.weights))
    }
}

/// Finds and reads the plates of a photo; `newest` is the highest SIV rank that exists.
///
/// # Errors
/// [`PluginError::Failed`] when the runtime fails.
pub fn read_photo(nets: &Nets, photo: &Photo, newest: u64) -> Result<Vec<PlateSighting>, PluginError> {
    if photo.width() < 24 || photo.height() < 12 {
        return Ok(Vec::new());
    }
    let mut all = look(nets, photo, Area::whole(photo), FIRST, newest)?;
    let unsure = !all.iter().any(|candidate| candidate.sure() >= SURE);
    if has_more(photo) && (unsure || is_crowded(&all, photo)) {
        all.extend(look(nets, photo, Area::whole(photo), FINE, newest)?);
    }
    if unsure {
        all.extend(look(nets, photo, Area::whole(photo), COARSE, newest)?);
    }
    keep_one_of_each(&mut all, photo);
    if all.len() >= CROWD && photo.width().max(photo.height()) > FINE * 3 / 2 {
        for quarter in quarters(photo) {
            all.extend(look(nets, photo, quarter, FINE, newest)?);
        }
        keep_one_of_each(&mut all, photo);
    }
    all.retain(|c| is_shown(c, photo));
    let mut sightings: Vec<(f32, PlateSighting)> =
        all.iter().map(|c| (importance(c, photo), sighting(nets, c, photo))).collect();
    sightings.sort_by(|a, b| b.0.total_cmp(&a.0));
    Ok(sightings.into_iter().map(|(_, sighting)| sighting).collect())
}

/// What is still to be seen where the known plates are covered: one fine look, then closer at each, one cut of each.
///
/// # Errors
/// [`PluginError::Failed`] when the runtime fails.
pub fn look_again(nets: &Nets, covered: &Photo, newest: u64) -> Result<Vec<PlateSighting>, PluginError> {
    if covered.width() < 24 || covered.height() < 12 {
        return Ok(Vec::new());
    }
    let longest = FINE.min(covered.width().max(covered.height()));
    let mut seen = nets.pairs.lend(|pair| {
        let mut candidates = locate(&mut pair.detector, covered, Area::whole(covered), longest)?;
        for candidate in candidates.iter_mut().take(MOST_READ) {
            let cut = candidate.perspective.cut(covered.rgb(), nets.contract.size(), FIRST_CUT);
            candidate.add(read(&mut pair.reader, nets.contract, &[cut])?, newest);
        }
        Ok::<_, PluginError>(candidates)
    })?;
    seen.retain(|c| is_shown(c, covered));
    Ok(seen.iter().map(|c| sighting(nets, c, covered)).collect())
}

/// Whether something is reported: because it is legible, or looks like a plate and has the size of one. What nobody can
/// read although it is that wide is a wall, and covering it would cover the car.
fn is_shown(candidate: &Candidate, photo: &Photo) -> bool {
    let wide = size(&candidate.found.quad).0 / photo.width().max(photo.height()) as f32;
    candidate.sure() >= LEGIBLE || candidate.found.heat >= PLATE_HEAT && wide <= WIDEST
}

/// A car park is looked at in four parts that overlap by a fifth.
fn quarters(photo: &Photo) -> [Area; 4] {
    let (width, height) = (0.6 * f64::from(photo.width()), 0.6 * f64::from(photo.height()));
    let (right, bottom) = (f64::from(photo.width()) - width, f64::from(photo.height()) - height);
    [(0.0, 0.0), (right, 0.0), (0.0, bottom), (right, bottom)].map(|(left, top)| Area { left, top, width, height })
}

/// Sorts by importance and keeps the most important of several that lie on each other.
fn keep_one_of_each(candidates: &mut Vec<Candidate>, photo: &Photo) {
    candidates.sort_by(|a, b| importance(b, photo).total_cmp(&importance(a, photo)));
    let mut apart: Vec<Candidate> = Vec::new();
    for candidate in candidates.drain(..) {
        if apart.len() < MOST && apart.iter().all(|kept| !kept.found.overlaps(&candidate.found)) {
            apart.push(candidate);
        }
    }
    *candidates = apart;
}

/// More pixels than the photo has show nothing more.
fn has_more(photo: &Photo) -> bool {
    photo.width().max(photo.height()) > FIRST
}

/// There may be more plates than the first look shows.
fn is_crowded(seen: &[Candidate], photo: &Photo) -> bool {
    let scale = FIRST as f32 / photo.width().max(photo.height()) as f32;
    seen.len() >= CROWD || seen.iter().any(|candidate| size(&candidate.found.quad).0 * scale < SMALL)
}

fn look(nets: &Nets, photo: &Photo, area: Area, longest: u32, newest: u64) -> Result<Vec<Candidate>, PluginError> {
    nets.pairs.lend(|pair| {
        let mut candidates = locate(&mut pair.detector, photo, area, longest)?;
        let size = nets.contract.size();
        let hottest = candidates.first().map_or(0.0, |candidate| candidate.found.heat);
        let mut is_read = false;
        for candidate in candidates.iter_mut().take(MOST_READ) {
            // What is hot enough is hidden in any case; what is not must be legible for that, so it is read.
            if is_read && candidate.found.heat < RIVAL * hottest && candidate.found.heat >= PLATE_HEAT {
                continue;
            }
            let cut = candidate.perspective.cut(photo.rgb(), size, FIRST_CUT);
            candidate.add(read(&mut pair.reader, nets.contract, &[cut])?, newest);
            is_read |= candidate.sure() >= DOUBT;
        }
        candidates.sort_by(|a, b| importance(b, photo).total_cmp(&importance(a, photo)));
        for candidate in candidates.iter_mut().filter(|c| !c.cuts.is_empty()).take(MOST_REREAD) {
            let cuts = if candidate.sure() >= CLEAR { 1 } else { MORE_CUTS.len() };
            let margins = MORE_CUTS[..cuts].iter().map(|margin| candidate.perspective.cut(photo.rgb(), size, *margin));
            let more: Vec<RgbImage> = margins.collect();
            candidate.add(read(&mut pair.reader, nets.contract, &more)?, newest);
            if candidate.sure() < DOUBT {
                let views = candidate.other_views();
                let more: Vec<RgbImage> = views.map(|(view, margin)| view.cut(photo.rgb(), size, margin)).collect();
                candidate.add(read(&mut pair.reader, nets.contract, &more)?, newest);
            }
            // The car's plate is read: the others are only there to be hidden.
            if candidate.sure() >= DOUBT {
                break;
            }
        }
        Ok(candidates)
    })
}

/// Plates in the photo, the surest first, nothing of them read yet.
fn locate(detector: &mut Session, photo: &Photo, area: Area, longest: u32) -> Result<Vec<Candidate>, PluginError> {
    let mut found = detect(detector, photo, area, longest, LEAST_HEAT)?;
    let scale = longest as f32 / area.width.max(area.height) as f32;
    let hottest = found.first().map_or(0.0, |one| one.heat);
    for (place, one) in found.iter_mut().enumerate().take(MOST_READ) {
        let small = size(&one.quad).0 * scale < 0.6 * CLOSE_WIDTH;
        let rival = one.heat >= RIVAL * hottest;
        if (small || rival && place < MOST_REREAD)
            && let Some(closer) = look_closer(detector, photo, one)?
        {
            *one = closer;
        }
    }
    keep_apart(&mut found);
    Ok(found.into_iter().filter_map(Candidate::of).collect())
}

/// The same plate with more pixels: its corners become exact.
fn look_closer(detector: &mut Session, photo: &Photo, found: &Found) -> Result<Option<Found>, PluginError> {
    let middle = centre(&found.quad);
    let side = size(&found.quad).0 * CLOSE_SIDE / CLOSE_WIDTH;
    let area = Area::around(photo, middle, (side, 0.75 * side));
    let closer = detect(detector, photo, area, CLOSE_SIDE as u32, LEAST_HEAT)?;
    let same = closer.into_iter().filter(|one| contains(&one.quad, middle) || contains(&found.quad, centre(&one.quad)));
    Ok(same.max_by(|a, b| a.heat.total_cmp(&b.heat)).map(|one| Found { heat: one.heat.max(found.heat), ..one }))
}

/// The upright rectangle around corners.
fn upright(quad: &Quad) -> Quad {
    let ends = |of: fn(&Point) -> f32| quad.iter().map(of).fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(v), h.max(v)));
    let ((left, right), (top, bottom)) = (ends(|p| p.x), ends(|p| p.y));
    [(left, top), (right, top), (right, bottom), (left, bottom)].map(|(x, y)| Point { x, y })
}

/// One row per place from those of several cuts: the weighted geometric mean.
fn together(cuts: &[Vec<Row>], weights: &[f32]) -> Vec<Row> {
    let places = cuts.iter().map(Vec::len).min().unwrap_or(0);
    let all: f32 = weights.iter().sum();
    let mean = |place: usize, class: usize| {
        let logs = cuts.iter().zip(weights).map(|(cut, weight)| weight * cut[place][class].max(1e-6).ln());
        (logs.sum::<f32>() / all).exp()
    };
    (0..places)
        .map(|place| {
            let row: Row = std::array::from_fn(|class| mean(place, class));
            let total: f32 = row.iter().sum();
            row.map(|p| p / total.max(1e-6))
        })
        .collect()
}

fn legible(rows: &[Row]) -> f32 {
    let surest = rows.iter().map(|row| row.iter().copied().fold(0.0, f32::max));
    surest.product::<f32>().sqrt()
}

/// Which plate is the car's: large, near the middle, read well, French.
fn importance(candidate: &Candidate, photo: &Photo) -> f32 {
    let middle = centre(&candidate.found.quad);
    let off = (middle.x / photo.width() as f32 - 0.5).abs();
    let wide = size(&candidate.found.quad).0 / photo.width().max(photo.height()) as f32;
    let french = candidate.texts.first().is_some_and(|best| best.kind.is_some());
    let read = candidate.sure() * if french { 0.8 } else { 0.6 };
    0.3 * candidate.found.heat + read + 4.0 * wide.min(0.25) - 0.3 * off
}

fn sighting(nets: &Nets, candidate: &Candidate, photo: &Photo) -> PlateSighting {
    let (right, bottom) = (photo.width() as f32, photo.height() as f32);
    let quad: Quad = candidate.found.quad.map(|p| Point { x: p.x.clamp(0.0, right), y: p.y.clamp(0.0, bottom) });
    let narrow = size(&candidate.found.quad).0 < NARROW * right.max(bottom);
    let legible = candidate.legible();
    let text = |ranked: &Ranked| {
        let confidence = nets.calibrated(ranked.probability * legible);
        // Somebody has to be asked, however sure it looks.
        let asked = narrow || matches!(ranked.kind, None | Some(PlateKind::MopedSiv));
        let confidence = if asked { confidence.min(0.99 * nets.accept_from) } else { confidence };
        PlateText { text: ranked.text.clone(), confidence: confidence.min(1.0), characters: characters(ranked) }
    };
    let readings = candidate.texts.iter().filter(|_| candidate.sure() >= LEAST_SURE).map(text).collect();
    PlateSighting { quad, score: candidate.found.heat.clamp(0.0, 1.0), readings }
}

fn characters(ranked: &Ranked) -> Vec<CharacterReading> {
    let pairs = ranked.text.chars().zip(&ranked.characters);
    pairs
        .map(|(character, confidence)| CharacterReading { character, confidence: confidence.clamp(0.0, 1.0) })
        .collect()
}
