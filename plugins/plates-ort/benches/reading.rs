//! What reading a plate costs: a photo of 12 megapixels from file to text on one thread, and its parts.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};
use keroxio_plate_grammar::{Row, newest_rank, rank};
use keroxio_plugin_plates_ort::PlatesOrt;
use keroxio_plugin_sdk::{DecodeLimits, Photo, PlateReader as _};

fn reading(criterion: &mut Criterion) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(here.join("../../tests/fixtures/hatch-front.jpg")).unwrap();
    let photo = Photo::decode(&bytes, DecodeLimits::default()).unwrap();
    let large = resize(photo.rgb(), 4_000, 3_000, FilterType::Triangle);
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, 92).encode_image(&large).unwrap();
    let large = Photo::from_rgb(large);
    let mut places: Vec<Row> = vec![[0.02; 37]; 10];
    places.iter_mut().enumerate().for_each(|(place, row)| row[place * 3 % 36] = 0.3);

    criterion.bench_function("rank_an_unsure_reading", |b| {
        b.iter(|| rank(black_box(&places), Some(newest_rank(20_781)), 5))
    });
    criterion.bench_function("decode_12_megapixels", |b| {
        b.iter(|| Photo::decode(black_box(&file), DecodeLimits::default()))
    });
    if std::env::var_os("ORT_DYLIB_PATH").is_none() {
        eprintln!("SKIP: ORT_DYLIB_PATH names no ONNX Runtime");
        return;
    }
    let model = |name: &str| here.join("model").join(name);
    let reader = PlatesOrt::load(&model("plate-detector.json"), &model("plate-reader.json")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut group = criterion.benchmark_group("read");
    group.sample_size(20);
    group.bench_function("2_megapixels", |b| b.iter(|| runtime.block_on(reader.read(black_box(&photo))).unwrap()));
    group.bench_function("12_megapixels", |b| b.iter(|| runtime.block_on(reader.read(black_box(&large))).unwrap()));
    group.bench_function("12_megapixels_from_file", |b| {
        b.iter(|| {
            let photo = Photo::decode(black_box(&file), DecodeLimits::default()).unwrap();
            runtime.block_on(reader.read(&photo)).unwrap()
        })
    });
    group.finish();
}

criterion_group!(benches, reading);
criterion_main!(benches);
