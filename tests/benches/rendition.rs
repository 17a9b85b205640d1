//! What one photo of 12 megapixels costs from upload to finished renditions, with the real networks: as a seller
//! sees it, through GraphQL and a worker, then step by step on one thread. `make bench-images`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Instant;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use keroxio_api::plugins;
use keroxio_core::Env;
use keroxio_images::render::{Drawn, Style, Working};
use keroxio_images::verdict::Verdict;
use keroxio_plugin_sdk::{DecodeLimits, Photo, Quad, Rectangle};
use keroxio_test_support::{Setup, fixture};
use serde_json::json;

const CLEAN: &str = "mutation($p: UUID!) { cleanPhoto(photoId: $p) { id } }";
const STATE: &str = "query($id: UUID!) { photoCleaning(id: $id) { state cleaned { variants { width } } } }";
const ROUNDS: usize = 9;
const STEPS: [&str; 10] =
    ["decode", "read_plates", "cut_out", "verdict", "angle", "shrink", "look_again", "faces", "draw", "encode"];

/// As large a file as phones write: an enlarged photo with a grain, another one each time, because a stored photo is
/// cleaned once.
fn photo(number: usize) -> Vec<u8> {
    let small = image::load_from_memory(&fixture("hatch-front.jpg")).unwrap();
    let mut large = small.resize_to_fill(4_000, 3_000, FilterType::Triangle).into_rgb8();
    let mut grain = 1_u32;
    for pixel in large.pixels_mut() {
        grain = grain.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        pixel.0 = pixel.0.map(|value| value.saturating_add((grain >> 24) as u8 % 13).saturating_sub(6));
    }
    large.put_pixel(number as u32, 0, image::Rgb([255, 0, 255]));
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(&large).unwrap();
    bytes
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    (values[values.len() / 2] * 10.0).round() / 10.0
}

/// Milliseconds of some work, all of them and those within ONNX Runtime.
struct Took {
    all: f64,
    inference: f64,
}

/// Notes what some work takes, and answers what it does.
fn timed<T>(times: &mut Vec<Took>, work: impl FnOnce() -> T) -> T {
    let (begun, before) = (Instant::now(), keroxio_onnx::spent());
    let answer = work();
    let inference = (keroxio_onnx::spent() - before).as_secs_f64() * 1_000.0;
    times.push(Took { all: begun.elapsed().as_secs_f64() * 1_000.0, inference });
    answer
}

fn main() {
    // `cargo test` builds and starts benches too.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (upload, whole) = runtime.block_on(through_the_api());
    let steps = step_by_step(&runtime);
    println!("{}", json!({ "upload_ms": upload, "upload_to_rendition_ms": whole, "steps": steps }));
}

/// Milliseconds until a photo is stored, and until its renditions are.
async fn through_the_api() -> (f64, f64) {
    let env = Env::from_process();
    let setup = Setup::default()
        .readers(plugins::plates(&env).unwrap())
        .images(plugins::images(&env).unwrap())
        .angles(plugins::angle(&env).unwrap())
        .faces(plugins::faces(&env).unwrap().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let app = setup.set("KEROXIO_STORAGE_DIR", folder.path().to_str().unwrap()).start().await;
    let garage = app.garage("dupont").await;
    let worker = app.start_worker();
    let (mut uploads, mut times) = (Vec::new(), Vec::new());
    for number in 0..ROUNDS {
        let bytes = photo(number);
        let begun = Instant::now();
        let photo = garage.upload(bytes).await.text("/uploadPhoto/id");
        uploads.push(begun.elapsed().as_secs_f64() * 1_000.0);
        let cleaning = garage.run(CLEAN, json!({ "p": photo })).await.text("/cleanPhoto/id");
        while garage.run(STATE, json!({ "id": cleaning })).await.at("/photoCleaning/state") != "DONE" {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        // Lighter files are drawn when nobody waits for a photo; the next round is not to wait for them.
        while garage.run(STATE, json!({ "id": cleaning })).await.at("/photoCleaning/cleaned/variants") == &json!([]) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    worker.stop().await;
    app.finish().await;
    (median(uploads), median(times))
}

fn step_by_step(runtime: &tokio::runtime::Runtime) -> serde_json::Value {
    let env = Env::from_process();
    let readers = plugins::plates(&env).unwrap();
    let removers = plugins::images(&env).unwrap();
    let remover = removers.iter().next().unwrap();
    let bytes = photo(ROUNDS);
    if let Some(path) = std::env::var_os("LARGE") {
        std::fs::write(path, &bytes).unwrap();
    }
    let (angles, faces) = (plugins::angle(&env).unwrap(), plugins::faces(&env).unwrap().unwrap());
    let mut steps = STEPS.map(|name| (name, Vec::new()));
    for _ in 0..ROUNDS {
        let photo = timed(&mut steps[0].1, || Photo::decode(&bytes, DecodeLimits::default()).unwrap());
        let answer = timed(&mut steps[1].1, || runtime.block_on(readers.read(&photo)).unwrap());
        let matte = timed(&mut steps[2].1, || runtime.block_on(remover.matte(&photo)).unwrap());
        let quads: Vec<Quad> = answer.sightings.iter().map(|sighting| sighting.quad).collect();
        timed(&mut steps[3].1, || Verdict::of(&photo, &matte, None));
        let middle = Rectangle { left: 400.0, top: 600.0, width: 3_200.0, height: 1_800.0 };
        timed(&mut steps[4].1, || runtime.block_on(angles.angle(&photo, middle)).unwrap());
        let working = timed(&mut steps[5].1, || Working::of(&photo));
        timed(&mut steps[6].1, || runtime.block_on(readers.look_again(&working.covered(&quads))).unwrap());
        timed(&mut steps[7].1, || runtime.block_on(faces.faces(working.picture())).unwrap());
        let style = Style { framed: true, ..Style::default() };
        let drawn = timed(&mut steps[8].1, || Drawn::of(&working, Some(&matte), &quads, &[], &style));
        let files = timed(&mut steps[9].1, || drawn.encode().unwrap());
        assert!(files.cleaned.is_some() && matte.found);
    }
    let of = |of: fn(&Took) -> f64| steps.each_ref().map(|(_, times)| median(times.iter().map(of).collect()));
    let (all, outside) = (of(|took| took.all), of(|took| took.all - took.inference));
    let (total, total_outside): (f64, f64) = (all.iter().sum(), outside.iter().sum());
    let share = |ms: f64| (ms / total * 100.0).round() / 100.0;
    let lines = STEPS.into_iter().zip(all.into_iter().zip(outside)).map(|(name, (ms, outside))| {
        (name.to_owned(), json!({ "ms": ms, "outside_onnx_ms": outside, "share": share(ms) }))
    });
    let mut steps: serde_json::Map<String, serde_json::Value> = lines.into_iter().collect();
    steps.insert("total_ms".to_owned(), json!((total * 10.0).round() / 10.0));
    steps.insert("share_outside_onnx".to_owned(), share(total_outside).into());
    steps.into()
}
