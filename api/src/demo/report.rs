use std::path::{Path, PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use keroxio_plugin_sdk::{DecodeLimits, Photo};
use minijinja::context;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::client::Client;

/// The journey as one document.
pub fn document(data: &Value, uploaded_ms: u128, total_ms: u128) -> Value {
    let at = |pointer: &str| data.pointer(pointer).cloned().unwrap_or_default();
    let reading = at("/listing/plate");
    let candidates = reading.get("candidates").cloned().unwrap_or_else(|| json!([]));
    let estimate = at("/listing/estimate");
    let euros = |end: &str| estimate.pointer(&format!("/{end}/amount")).cloned().unwrap_or_default();
    let publications: Vec<Value> = at("/publications")
        .as_array()
        .into_iter()
        .flatten()
        .map(|p| json!({ "platform": p["platform"], "url": p["url"], "title": p["title"], "body": p["body"], "fields": p["fields"] }))
        .collect();
    json!({
        "state": at("/listing/state"),
        "plate": {
            "text": reading.get("text").cloned().unwrap_or_default(),
            "formatted": reading.get("formatted").cloned().unwrap_or_default(),
            "confidence": reading.get("confidence").cloned().unwrap_or_default(),
            "needs_confirmation": reading.get("needsConfirmation").cloned().unwrap_or_default(),
            "candidates": candidates,
        },
        "vehicle": at("/listing/vehicle"),
        "photos": [],
        "price": {
            "low": euros("low"), "mid": euros("mid"), "high": euros("high"), "currency": "EUR",
            "confidence": estimate.get("confidence").cloned().unwrap_or_default(),
            "sample_size": estimate.get("sampleSize").cloned().unwrap_or_default(),
            "contributions": estimate.get("contributions").cloned().unwrap_or_else(|| json!([])),
        },
        "listing": { "title": at("/listing/title"), "body": at("/listing/body"), "language": at("/listing/language") },
        "publications": publications,
        "steps": at("/listing/steps"),
        "timings": timings(&at("/listing/steps"), uploaded_ms, total_ms),
    })
}

/// Milliseconds a step took from its start to its end; several photos share one entry, the longest.
fn timings(steps: &Value, uploaded_ms: u128, total_ms: u128) -> Value {
    let mut timings = Map::new();
    timings.insert("upload".to_owned(), json!(uploaded_ms));
    for step in steps.as_array().into_iter().flatten() {
        let name = step["kind"].as_str().unwrap_or_default().to_lowercase();
        let ms = step["durationMs"].as_i64().unwrap_or(0);
        let longest = timings.get(&name).and_then(Value::as_i64).unwrap_or(0).max(ms);
        timings.insert(name, json!(longest));
    }
    timings.insert("total".to_owned(), json!(total_ms));
    Value::Object(timings)
}

/// Saves every rendition and the plate crop beside the report.
pub async fn download(
    client: &Client,
    data: &Value,
    uploaded: &[(String, PathBuf)],
    out: &Path,
    document: &mut Value,
) -> anyhow::Result<()> {
    let mut photos = Vec::new();
    for (number, photo) in data.pointer("/listing/photos").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let mut entry = Map::new();
        for (name, pointer) in
            [("original", "/original/url"), ("cleaned", "/cleaning/cleaned/url"), ("masked", "/cleaning/masked/url")]
        {
            let saved = match photo.pointer(pointer).and_then(Value::as_str) {
                Some(url) => {
                    let bytes = client.download(url).await?;
                    let extension = if bytes.starts_with(b"\x89PNG") { "png" } else { "jpg" };
                    let file = format!("{:02}-{name}.{extension}", number + 1);
                    std::fs::write(out.join(&file), bytes)?;
                    json!(file)
                }
                None => Value::Null,
            };
            entry.insert(name.to_owned(), saved);
        }
        let source = uploaded.iter().find(|(id, _)| photo["id"] == id.as_str()).map(|(_, path)| path);
        entry.insert("source".to_owned(), json!(source));
        entry.insert("error".to_owned(), photo.pointer("/cleaning/errorCode").cloned().unwrap_or_default());
        let advice = photo.pointer("/cleaning/remarks").and_then(Value::as_array).into_iter().flatten();
        let advice: Vec<&Value> = advice.filter_map(|remark| remark.get("adviceFr")).collect();
        entry.insert("advice".to_owned(), json!(advice));
        entry.insert("verdict".to_owned(), photo.pointer("/cleaning/verdict").cloned().unwrap_or_default());
        entry.insert("pair".to_owned(), json!(pair(&photo["cleaning"])));
        entry.insert("car_found".to_owned(), photo.pointer("/cleaning/carFound").cloned().unwrap_or_default());
        photos.push(Value::Object(entry));
    }
    document["photos"] = json!(photos);
    document["plate"]["crop"] = json!(plate_crop(data, document, out));
    Ok(())
}

/// What of the masked photo its rendition shows, in pixels of the masked one; none where one of them is missing.
fn pair(cleaning: &Value) -> Option<Value> {
    let (masked, frame) = (cleaning.get("masked")?, cleaning.get("frame")?);
    let (wide, high) = (masked["width"].as_f64()?, masked["height"].as_f64()?);
    let share = |name: &str, side: f64| Some(frame[name].as_f64()? * side);
    Some(json!({
        "left": share("left", wide)?, "top": share("top", high)?,
        "width": share("width", wide)?, "height": share("height", high)?,
        "masked_width": wide, "masked_height": high,
    }))
}

/// The sighting that was read, cut from its photo with a small margin.
fn plate_crop(data: &Value, document: &Value, out: &Path) -> Option<&'static str> {
    let reading = data.pointer("/listing/plate")?;
    let photos = data.pointer("/listing/photos")?.as_array()?;
    let index = photos.iter().position(|photo| photo["id"] == reading["photoId"])?;
    let original = document["photos"][index]["original"].as_str()?;
    let bytes = std::fs::read(out.join(original)).ok()?;
    let photo = Photo::decode(&bytes, DecodeLimits::default()).ok()?;
    let corners = reading.pointer("/sightings/0/quad")?.as_array()?;
    let range = |axis: &str| {
        let values: Vec<f64> = corners.iter().filter_map(|c| c[axis].as_f64()).collect();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (low.is_finite() && high > low).then_some((low, high))
    };
    let ((left, right), (top, bottom)) = (range("x")?, range("y")?);
    let margin = (right - left) * 0.08;
    let (x, y) = ((left - margin).max(0.0) as u32, (top - margin).max(0.0) as u32);
    let (w, h) = ((right - left + 2.0 * margin) as u32, (bottom - top + 2.0 * margin) as u32);
    let (w, h) = (w.min(photo.width().saturating_sub(x)), h.min(photo.height().saturating_sub(y)));
    if w == 0 || h == 0 {
        return None;
    }
    let crop = image::imageops::crop_imm(photo.rgb(), x, y, w, h).to_image();
    crop.save(out.join("plate.png")).ok()?;
    Some("plate.png")
}

/// The report: one file that asks for nothing but the pictures beside it, and lets no other script or style in.
pub fn html(document: &Value) -> anyhow::Result<String> {
    const CSS: &str = include_str!("report.css");
    const JS: &str = include_str!("report.js");
    let hash = |text: &str| format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(text)));
    let mut templates = minijinja::Environment::new();
    templates.add_filter("eur", |euros: i64| format!("{}\u{a0}€", keroxio_core::group_digits(euros)));
    templates.add_template("report.html", include_str!("report.html"))?;
    let own = context! {
        css => minijinja::Value::from_safe_string(CSS.to_owned()), css_hash => hash(CSS),
        js => minijinja::Value::from_safe_string(JS.to_owned()), js_hash => hash(JS),
    };
    Ok(templates.get_template("report.html")?.render(context! { ..own, ..minijinja::value::Serde(document) })?)
}
