//! What the service says, made ours. Nothing in it is trusted: numbers may be missing, out of range or no numbers.

use keroxio_plate_grammar::{Plate, normalize_foreign};
use keroxio_plugin_sdk::{CharacterReading, PlateSighting, PlateText, Point};
use serde::Deserialize;

/// Plates taken from one answer at most, and candidates of each.
const MOST: usize = 50;
const TEXTS: usize = 5;

#[derive(Deserialize)]
pub struct Answer {
    results: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    #[serde(rename = "box")]
    place: Place,
    plate: String,
    score: f32,
    /// How sure the service is that this is a plate.
    #[serde(default)]
    dscore: Option<f32>,
    #[serde(default)]
    candidates: Vec<Candidate>,
}

#[derive(Deserialize)]
struct Place {
    xmin: f32,
    ymin: f32,
    xmax: f32,
    ymax: f32,
}

#[derive(Deserialize)]
struct Candidate {
    plate: String,
    score: f32,
}

impl Answer {
    /// `scale` turns the service's pixels into the photo's; the largest plate comes first.
    pub fn sightings(self, scale: f32, size: (f32, f32)) -> Vec<PlateSighting> {
        let mut sightings: Vec<(f32, PlateSighting)> =
            self.results.into_iter().take(MOST).filter_map(|found| found.sighting(scale, size)).collect();
        sightings.sort_by(|a, b| b.0.total_cmp(&a.0));
        sightings.into_iter().map(|(_, sighting)| sighting).collect()
    }
}

impl Found {
    fn sighting(self, scale: f32, (width, height): (f32, f32)) -> Option<(f32, PlateSighting)> {
        let x = |x: f32| (x * scale).clamp(0.0, width);
        let y = |y: f32| (y * scale).clamp(0.0, height);
        let (left, top) = (x(self.place.xmin), y(self.place.ymin));
        let (right, bottom) = (x(self.place.xmax), y(self.place.ymax));
        let encloses = right - left > 1.0 && bottom - top > 1.0;
        let quad = [(left, top), (right, top), (right, bottom), (left, bottom)].map(|(x, y)| Point { x, y });
        let mut texts: Vec<(String, f32)> = self.candidates.into_iter().map(|c| (c.plate, c.score)).collect();
        if texts.is_empty() {
            texts.push((self.plate, self.score));
        }
        let readings = texts.into_iter().filter_map(|(text, score)| reading(&text, score)).take(TEXTS).collect();
        let sighting = PlateSighting { quad, score: share(self.dscore.unwrap_or(self.score)), readings };
        encloses.then_some((right - left, sighting))
    }
}

fn reading(text: &str, score: f32) -> Option<PlateText> {
    let text =
        Plate::parse(text).map(|plate| plate.normalized().to_owned()).or_else(|_| normalize_foreign(text)).ok()?;
    let confidence = share(score);
    let characters = text.chars().map(|character| CharacterReading { character, confidence }).collect();
    Some(PlateText { text, confidence, characters })
}

fn share(value: f32) -> f32 {
    if value.is_finite() { value.clamp(0.0, 1.0) } else { 0.0 }
}
