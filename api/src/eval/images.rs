//! How good the configured background removal is on labelled photos, measured through production code.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail};
use image::GrayImage;
use keroxio_images::pixels::fitted;
use keroxio_plugin_sdk::{BackgroundRemover, BackgroundRemovers, DecodeLimits, Photo};
use serde::Deserialize;
use serde_json::json;

/// Two outlines agree where they are at most this share of the photo's diagonal apart.
const TOLERANCE: f64 = 0.0075;
/// A cut-out below this IoU needs a hand.
const GOOD_IOU: f64 = 0.90;

#[derive(Deserialize)]
struct Label {
    image: String,
    mask: String,
}

/// What one photo scored.
struct Score {
    iou: f64,
    boundary_f: f64,
    mae: f64,
    milliseconds: f64,
    found: bool,
    coverage: f32,
    confidence: f32,
}

impl Score {
    fn line(&self, image: &str) -> serde_json::Value {
        json!({
            "image": image,
            "iou": rounded(self.iou),
            "boundary_f": rounded(self.boundary_f),
            "found": self.found,
            "coverage": rounded(f64::from(self.coverage)),
            "confidence": rounded(f64::from(self.confidence)),
        })
    }
}

/// Measures the first remover on the photos of `data/labels.csv` (columns `image` and `mask`, relative to the
/// parent of `data`). A photo in which no car is found counts as an empty matte.
/// With `details`, one JSON line per photo comes before the summary.
///
/// # Errors
/// A missing or damaged file, a mask of another size than its photo, a failing remover.
pub async fn run(data: &Path, removers: &BackgroundRemovers, details: bool) -> anyhow::Result<serde_json::Value> {
    let remover = removers.iter().next().context("no background remover is configured")?;
    let root = data.parent().context("the data folder has no parent")?;
    let labels = data.join("labels.csv");
    let mut table = csv::Reader::from_path(&labels).with_context(|| labels.display().to_string())?;
    let mut scores = Vec::new();
    for label in table.deserialize() {
        let label: Label = label.with_context(|| labels.display().to_string())?;
        let score = measure(root, &label, &**remover).await.with_context(|| label.image.clone())?;
        if details {
            println!("{}", score.line(&label.image));
        }
        scores.push(score);
    }
    if scores.is_empty() {
        bail!("{} lists no photo", labels.display());
    }
    let all = |pick: fn(&Score) -> f64| scores.iter().map(pick).collect::<Vec<_>>();
    let ious = all(|s| s.iou);
    let bad = ious.iter().filter(|iou| **iou < GOOD_IOU).count();
    Ok(json!({
        "n": scores.len(),
        "iou_mean": rounded(mean(&ious)),
        "iou_median": rounded(median(ious)),
        "boundary_f": rounded(mean(&all(|s| s.boundary_f))),
        "under_090": rounded(bad as f64 / scores.len() as f64),
        "mae": rounded(mean(&all(|s| s.mae))),
        "ms_median": rounded(median(all(|s| s.milliseconds))),
        "peak_rss_mb": super::peak_rss_mb().map(rounded),
    }))
}

async fn measure(root: &Path, label: &Label, remover: &dyn BackgroundRemover) -> anyhow::Result<Score> {
    let truth = image::open(root.join(&label.mask)).with_context(|| label.mask.clone())?.into_luma8();
    let bytes = std::fs::read(root.join(&label.image))?;
    let begun = Instant::now();
    let photo = Photo::decode(&bytes, DecodeLimits::default())?;
    let matte = remover.matte(&photo).await?;
    let milliseconds = begun.elapsed().as_secs_f64() * 1_000.0;
    if truth.dimensions() != (photo.width(), photo.height()) {
        bail!("{} is {:?}, the photo {} x {}", label.mask, truth.dimensions(), photo.width(), photo.height());
    }
    let size = (photo.width(), photo.height());
    let stretched = if matte.found { fitted(&matte.alpha, size) } else { None };
    let alpha = stretched.unwrap_or_else(|| GrayImage::new(size.0, size.1));
    let (car, guess) = (Mask::of(&truth), Mask::of(&alpha));
    let (found, coverage, confidence) = (matte.found, matte.coverage, matte.confidence);
    let (iou, boundary_f, mae) = (car.iou(&guess), car.boundary_f(&guess), mae(&truth, &alpha));
    Ok(Score { iou, boundary_f, mae, milliseconds, found, coverage, confidence })
}

fn mae(truth: &GrayImage, alpha: &GrayImage) -> f64 {
    let off: u64 = truth.as_raw().iter().zip(alpha.as_raw()).map(|(t, a)| u64::from(t.abs_diff(*a))).sum();
    off as f64 / 255.0 / truth.as_raw().len().max(1) as f64
}

/// Places that are car (alpha of at least 128).
struct Mask {
    width: usize,
    height: usize,
    car: Vec<bool>,
}

impl Mask {
    fn of(alpha: &GrayImage) -> Self {
        let car = alpha.as_raw().iter().map(|a| *a >= 128).collect();
        Self { width: alpha.width() as usize, height: alpha.height() as usize, car }
    }

    /// Intersection over union; two empty masks agree fully.
    fn iou(&self, other: &Self) -> f64 {
        let count = |both: fn(bool, bool) -> bool| {
            self.car.iter().zip(&other.car).filter(|(a, b)| both(**a, **b)).count() as f64
        };
        let either = count(|a, b| a || b);
        if either == 0.0 { 1.0 } else { count(|a, b| a && b) / either }
    }

    /// Car places with a neighbour that is not car; the rim of the photo is no outline.
    fn outline(&self) -> Vec<bool> {
        let (width, height) = (self.width, self.height);
        let edge = |place: usize| {
            let (x, y) = (place % width, place / width);
            (x > 0 && !self.car[place - 1])
                || (x + 1 < width && !self.car[place + 1])
                || (y > 0 && !self.car[place - width])
                || (y + 1 < height && !self.car[place + width])
        };
        (0..self.car.len()).map(|place| self.car[place] && edge(place)).collect()
    }

    /// Harmonic mean of the shares of each outline that lies near the other one.
    fn boundary_f(&self, other: &Self) -> f64 {
        let reach = TOLERANCE * (self.width as f64).hypot(self.height as f64);
        let (mine, theirs) = (self.outline(), other.outline());
        let near = |from: &[bool], to: &[bool]| {
            let distance = squared_distance(to, self.width);
            let total = from.iter().filter(|on| **on).count();
            let close = from.iter().zip(&distance).filter(|(on, d)| **on && **d <= reach * reach).count();
            (total > 0).then(|| close as f64 / total as f64)
        };
        match (near(&mine, &theirs), near(&theirs, &mine)) {
            (None, None) => 1.0,
            (Some(recall), Some(precision)) if recall + precision > 0.0 => {
                2.0 * recall * precision / (recall + precision)
            }
            _ => 0.0,
        }
    }
}

/// Exact squared distance in pixels of each place to the nearest marked one: columns, then rows.
fn squared_distance(marked: &[bool], width: usize) -> Vec<f64> {
    let height = marked.len() / width.max(1);
    let mut distance: Vec<f64> = marked.iter().map(|on| if *on { 0.0 } else { f64::INFINITY }).collect();
    for x in 0..width {
        let column: Vec<f64> = (0..height).map(|y| distance[y * width + x]).collect();
        for (y, value) in lower_envelope(&column).into_iter().enumerate() {
            distance[y * width + x] = value;
        }
    }
    distance.chunks_exact(width.max(1)).flat_map(lower_envelope).collect()
}

/// For each place of a line, the least `height[q] + (place - q)^2` (Felzenszwalb and Huttenlocher, 2012).
fn lower_envelope(heights: &[f64]) -> Vec<f64> {
    let mut parabolas: Vec<(usize, f64)> = Vec::new();
    for (q, height) in heights.iter().enumerate().filter(|(_, h)| h.is_finite()) {
        let square = |i: usize| (i * i) as f64;
        let mut from = f64::NEG_INFINITY;
        while let Some((p, begins)) = parabolas.last() {
            from = (height + square(q) - heights[*p] - square(*p)) / (2.0 * (q - p) as f64);
            if from > *begins {
                break;
            }
            parabolas.pop();
            from = f64::NEG_INFINITY;
        }
        parabolas.push((q, from));
    }
    let mut current = 0;
    (0..heights.len())
        .map(|place| {
            while parabolas.get(current + 1).is_some_and(|(_, from)| *from < place as f64) {
                current += 1;
            }
            parabolas.get(current).map_or(f64::INFINITY, |(q, _)| heights[*q] + (place as f64 - *q as f64).powi(2))
        })
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;

    fn square(left: u32, side: u32) -> GrayImage {
        let inside = move |v: u32, from: u32| v >= from && v < from + side;
        GrayImage::from_fn(100, 100, |x, y| Luma([if inside(x, left) && inside(y, 20) { 255 } else { 0 }]))
    }

    #[test]
    fn the_same_mask_scores_one() {
        let mask = Mask::of(&square(20, 40));
        assert_eq!((mask.iou(&mask), mask.boundary_f(&mask)), (1.0, 1.0));
    }

    #[test]
    fn a_moved_mask_scores_what_geometry_says() {
        let (mask, moved) = (Mask::of(&square(20, 40)), Mask::of(&square(30, 40)));
        assert!((mask.iou(&moved) - 30.0 / 50.0).abs() < 1e-9);
        assert!(mask.boundary_f(&moved) < 0.85);
        let nearly = Mask::of(&square(21, 40));
        assert_eq!(mask.boundary_f(&nearly), 1.0, "one pixel is within the tolerance");
    }

    #[test]
    fn an_empty_matte_scores_nothing() {
        let (mask, empty) = (Mask::of(&square(20, 40)), Mask::of(&GrayImage::new(100, 100)));
        assert_eq!((mask.iou(&empty), mask.boundary_f(&empty)), (0.0, 0.0));
        assert!((mae(&square(20, 40), &GrayImage::new(100, 100)) - 0.16).abs() < 1e-9);
    }

    #[test]
    fn distances_are_exact() {
        let mut marked = vec![false; 9 * 7];
        marked[9 * 2 + 3] = true;
        marked[9 * 6 + 8] = true;
        for (place, squared) in squared_distance(&marked, 9).into_iter().enumerate() {
            let to = |x: f64, y: f64| ((place % 9) as f64 - x).powi(2) + ((place / 9) as f64 - y).powi(2);
            assert_eq!(squared, to(3.0, 2.0).min(to(8.0, 6.0)), "{place}");
        }
    }

    #[test]
    fn medians_of_both_parities() {
        assert_eq!((median(vec![3.0, 1.0, 2.0]), median(vec![4.0, 1.0, 2.0, 3.0])), (2.0, 2.5));
    }
}
