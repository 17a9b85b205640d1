//! Resident memory of a worker over hundreds of photos of 12 megapixels, all distinct, through upload, plate
//! reading and cleaning with the real models. `make bench-memory`; `PHOTOS` changes how many.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use keroxio_api::plugins;
use keroxio_core::Env;
use keroxio_test_support::{Setup, fixture};
use serde_json::json;

const CLEAN: &str = "mutation($p: UUID!) { cleanPhoto(photoId: $p) { id } }";
const STATE: &str = "query($id: UUID!) { photoCleaning(id: $id) { state } }";

/// In mebibytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::main]
async fn main() {
    // `cargo test` builds and starts benches too.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let photos: usize = std::env::var("PHOTOS").ok().and_then(|n| n.parse().ok()).unwrap_or(500);
    let env = Env::from_process();
    let setup = Setup::default()
        .readers(plugins::plates(&env).unwrap())
        .images(plugins::images(&env).unwrap())
        .angles(plugins::angle(&env).unwrap())
        .faces(plugins::faces(&env).unwrap().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let app = setup.set("KEROXIO_STORAGE_DIR", folder.path().to_str().unwrap()).start().await;
    let mut garage = app.garage("dupont").await;
    let worker = app.start_worker();
    let large = image::load_from_memory(&fixture("hatch-front.jpg")).unwrap();
    let mut large = large.resize_to_fill(4_000, 3_000, FilterType::Triangle).into_rgb8();
    let mut after_50 = 0;
    for number in 1..=photos {
        if number % 20 == 0 {
            // An access token lasts for fifteen minutes.
            garage = app.log_in("dupont").await;
        }
        // Another picture each time: a stored photo is cleaned once.
        large.put_pixel(number as u32, 0, image::Rgb([255, 0, 255]));
        large.put_pixel(0, number as u32, image::Rgb([number as u8, 0, 0]));
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 100).encode_image(&large).unwrap();
        let photo = garage.upload(bytes).await.text("/uploadPhoto/id");
        let cleaning = garage.run(CLEAN, json!({ "p": photo })).await.text("/cleanPhoto/id");
        while garage.run(STATE, json!({ "id": cleaning })).await.at("/photoCleaning/state") != "DONE" {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        if number == 50 {
            after_50 = resident();
        }
        if number % 50 == 0 {
            eprintln!("==> {number} photos, {} MiB", resident());
        }
    }
    worker.stop().await;
    app.finish().await;
    let report = json!({ "photos": photos, "rss_mib_after_50": after_50, "rss_mib_after_all": resident() });
    println!("{report}");
}
