//! What the API feels of inference in its own process: how long a signed-in question takes while the worker is
//! idle, and while it cleans one large photo after the other. `make bench-budget`; interleaved rounds, milliseconds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use keroxio_api::plugins;
use keroxio_core::Env;
use keroxio_core::worker::Concurrency;
use keroxio_test_support::{Actor, Setup, fixture};
use serde_json::{Value, json};

const ROUNDS: usize = 2;
const QUESTIONS: usize = 200;
/// Enough photos to keep the worker busy for a round.
const PHOTOS: usize = 10;
const CLEAN: &str = "mutation($p: UUID!) { cleanPhoto(photoId: $p) { id } }";
const STATE: &str = "query($id: UUID!) { photoCleaning(id: $id) { state } }";
const QUESTION: &str = "{ notifications(first: 20) { nodes { id kind } } unreadNotifications }";

async fn ask(garage: &Actor) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..QUESTIONS {
        let begun = Instant::now();
        garage.run(QUESTION, Value::Null).await.at("/notifications");
        times.push(begun.elapsed());
        // A person's pace, not a flood: what is measured is waiting, not throughput.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    times
}

fn at(times: &mut [Duration], share: f64) -> f64 {
    times.sort();
    times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0
}

#[tokio::main]
async fn main() {
    // `cargo test` builds and starts benches too.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let env = Env::from_process();
    let setup = Setup::default().readers(plugins::plates(&env).unwrap()).images(plugins::images(&env).unwrap());
    let app = setup.start().await;
    let garage = app.garage("dupont").await;
    let worker = app.start_worker_of(Concurrency { default: 8, inference: 1, outbound: 8 });
    let large = image::load_from_memory(&fixture("hatch-front.jpg")).unwrap();
    let mut large = large.resize_to_fill(4_000, 3_000, FilterType::Triangle).into_rgb8();
    let (mut idle, mut busy, mut cleaned) = (Vec::new(), Vec::new(), 0);
    for round in 0..ROUNDS {
        eprintln!("==> round {}", round + 1);
        idle.extend(ask(&garage).await);
        // All uploaded first, so that the worker has enough to do while the questions are asked.
        let mut photos = Vec::new();
        for number in 0..PHOTOS {
            large.put_pixel((round * PHOTOS + number) as u32, 0, image::Rgb([255, 0, 255]));
            let mut bytes = Vec::new();
            JpegEncoder::new_with_quality(&mut bytes, 95).encode_image(&large).unwrap();
            photos.push(garage.upload(bytes).await.text("/uploadPhoto/id"));
        }
        let mut last = String::new();
        for photo in photos {
            last = garage.run(CLEAN, json!({ "p": photo })).await.text("/cleanPhoto/id");
        }
        let done = |answer: keroxio_test_support::Answer| answer.at("/photoCleaning/state") == "DONE";
        let times = ask(&garage).await;
        assert!(!done(garage.run(STATE, json!({ "id": last })).await), "the worker ran out of work: more PHOTOS");
        busy.extend(times);
        while !done(garage.run(STATE, json!({ "id": last })).await) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        cleaned += PHOTOS;
    }
    worker.stop().await;
    app.finish().await;
    let report = json!({
        "photos": cleaned,
        "idle_p50_ms": at(&mut idle, 0.5), "idle_p99_ms": at(&mut idle, 0.99),
        "busy_p50_ms": at(&mut busy, 0.5), "busy_p99_ms": at(&mut busy, 0.99),
        "p50_ratio": at(&mut busy, 0.5) / at(&mut idle, 0.5), "p99_ratio": at(&mut busy, 0.99) / at(&mut idle, 0.99),
    });
    println!("{report}");
}
