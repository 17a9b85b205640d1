//! How good the configured plate reader is on labelled photos, measured through production code.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail};
use keroxio_plugin_sdk::{DecodeLimits, Photo, PlateReaders, PlateSighting};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Label {
    file: String,
    text: String,
    country: String,
    pattern: String,
    x0: f32,
    y0: f32,
    x1: f32,
    y1: f32,
}

/// What one photo scored.
struct Score {
    french: bool,
    siv: bool,
    exact: bool,
    exact_folded: bool,
    found: bool,
    accepted: bool,
    milliseconds: f64,
}

/// Measures a reader on the photos of `data/labels.csv` (columns `file`, relative to the parent of
/// `data`, `text`, `country`, `pattern` and the true box `x0,y0,x1,y1` in pixels).
///
/// The first reading of the first sighting counts. French photos count as written; elsewhere the
/// labels mix O and 0, I and 1, so those are folded.
///
/// With `details`, each photo is also a JSON line on standard output, as `training/calibrate.py` reads it.
///
/// # Errors
/// A missing or damaged file, a label without box, a failing reader.
pub async fn run(data: &Path, readers: &PlateReaders, details: bool) -> anyhow::Result<serde_json::Value> {
    let root = data.parent().context("the data folder has no parent")?;
    let labels = data.join("labels.csv");
    let mut table = csv::Reader::from_path(&labels).with_context(|| labels.display().to_string())?;
    let mut scores = Vec::new();
    for label in table.deserialize() {
        let label: Label = label.with_context(|| labels.display().to_string())?;
        let score = measure(root, &label, readers, details).await.with_context(|| label.file.clone())?;
        scores.push(score);
    }
    if scores.is_empty() {
        bail!("{} lists no photo", labels.display());
    }
    let (french, others): (Vec<&Score>, Vec<&Score>) = scores.iter().partition(|s| s.french);
    let siv: Vec<&Score> = french.iter().copied().filter(|s| s.siv).collect();
    let accepted: Vec<&Score> = french.iter().copied().filter(|s| s.accepted).collect();
    Ok(json!({
        "n": french.len(),
        "exact": share(&french, |s| s.exact),
        "siv_n": siv.len(),
        "siv_exact": share(&siv, |s| s.exact),
        "found": share(&french, |s| s.found),
        "accepted": share(&french, |s| s.accepted),
        "accepted_wrong": share(&accepted, |s| !s.exact),
        "eu_n": others.len(),
        "eu_exact_folded": share(&others, |s| s.exact_folded),
        "ms_median": median(scores.iter().map(|s| s.milliseconds).collect()),
        "peak_rss_mb": super::peak_rss_mb(),
    }))
}

async fn measure(root: &Path, label: &Label, readers: &PlateReaders, details: bool) -> anyhow::Result<Score> {
    let bytes = std::fs::read(root.join(&label.file))?;
    let begun = Instant::now();
    let photo = Photo::decode(&bytes, DecodeLimits::default())?;
    let answer = readers.read(&photo).await?;
    let milliseconds = begun.elapsed().as_secs_f64() * 1_000.0;
    let best = answer.sightings.first().and_then(|sighting| sighting.readings.first());
    let text = best.map(|reading| reading.text.as_str()).unwrap_or_default();
    let french = label.country == "FR";
    let exact = text == label.text;
    if details {
        let confidence = best.map(|reading| reading.confidence);
        let right = if french { exact } else { folded(text) == folded(&label.text) };
        let line = json!({ "file": label.file, "truth": label.text, "text": text, "confidence": confidence, "right": right, "french": french,
            "accepted": answer.accepted, "ms": milliseconds.round() });
        println!("{line}");
    }
    Ok(Score {
        french,
        siv: label.pattern == "SIV",
        exact,
        exact_folded: folded(text) == folded(&label.text),
        found: answer.sightings.iter().any(|sighting| centre_inside(sighting, label)),
        accepted: answer.accepted,
        milliseconds,
    })
}

fn centre_inside(sighting: &PlateSighting, label: &Label) -> bool {
    let mean = |sum: f32| sum / sighting.quad.len() as f32;
    let x = mean(sighting.quad.iter().map(|p| p.x).sum());
    let y = mean(sighting.quad.iter().map(|p| p.y).sum());
    (label.x0..=label.x1).contains(&x) && (label.y0..=label.y1).contains(&y)
}

fn folded(text: &str) -> String {
    text.replace('O', "0").replace('I', "1")
}

/// Share of the scores that hold, from 0 to 1 with four decimals; none without scores.
fn share(scores: &[&Score], holds: fn(&Score) -> bool) -> Option<f64> {
    let count = scores.iter().filter(|score| holds(score)).count();
    (!scores.is_empty()).then(|| (count as f64 / scores.len() as f64 * 10_000.0).round() / 10_000.0)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let high = *values.get(middle)?;
    let low = if values.len().is_multiple_of(2) { *values.get(middle.checked_sub(1)?)? } else { high };
    Some(((low + high) / 2.0 * 10.0).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_even_and_odd_counts() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(Vec::new()), None);
    }

    #[test]
    fn letters_and_digits_that_labels_mix_are_folded() {
        assert_eq!(folded("BO1I"), folded("B01I"));
        assert_ne!(folded("B8"), folded("BB"));
    }
}
