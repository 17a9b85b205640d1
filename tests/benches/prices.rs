//! What prices cost through the API: one car, and a stock of a thousand in one request; and how much of that is
//! ONNX Runtime, which no code of ours could save.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Instant;

use keroxio_api::plugins;
use keroxio_core::Env;
use keroxio_plugin_sdk::{CarFacts, Fuel, PriceEstimator};
use keroxio_test_support::{Actor, Setup};
use serde_json::{Value, json};

const ONE: &str = "query($c: VehicleInput!) { estimatePrice(car: $c) { low { amount } mid { amount } high { amount }
  confidence } }";
const EXPLAINED: &str = "query($c: VehicleInput!) { estimatePrice(car: $c) { mid { amount } contributions { fact } } }";
const BULK: &str = "query($c: [VehicleInput!]!) { estimatePrices(cars: $c) { low { amount } mid { amount }
  high { amount } confidence } }";
const CARS: usize = 1_000;
const ROUNDS: usize = 7;
const MODELS: [(&str, &str, &str); 5] = [
    ("Renault", "Clio", "TCe 90 Zen"),
    ("Peugeot", "308 SW", "1.5 BlueHDi 130 Allure"),
    ("Volkswagen", "Golf", "2.0 TDI 150 Carat"),
    ("Dacia", "Sandero", "Stepway TCe 90"),
    ("Citroën", "C3", "PureTech 82 Feel"),
];

fn car(n: usize) -> Value {
    let (make, model, version) = MODELS[n % MODELS.len()];
    json!({ "make": make, "model": model, "version": version, "mileageKm": 15_000 + 97 * n, "fuel": "PETROL",
            "firstRegistration": format!("{}-{:02}", 2014 + n % 10, 1 + n % 12), "powerHp": 80 + n % 70 })
}

/// Medians of milliseconds for the request and for its part within ONNX Runtime.
async fn measured(garage: &Actor, query: &str, variables: &Value) -> (f64, f64) {
    let (mut whole, mut inside) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (begun, before) = (Instant::now(), keroxio_onnx::spent());
        garage.run(query, variables.clone()).await.at("");
        whole.push(begun.elapsed().as_secs_f64() * 1_000.0);
        inside.push((keroxio_onnx::spent() - before).as_secs_f64() * 1_000.0);
    }
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    (median(whole), median(inside))
}

/// Median of milliseconds that the plugin works on one car, from facts to price.
async fn work(estimator: &dyn PriceEstimator) -> f64 {
    let facts = CarFacts {
        make: "Peugeot".into(),
        model: "308 SW".into(),
        version: Some("1.5 BlueHDi 130 Allure".into()),
        first_registration_year: 2019,
        first_registration_month: Some(4),
        mileage_km: 62_000,
        fuel: Some(Fuel::Diesel),
        gearbox: None,
        power_hp: Some(130),
        fiscal_hp: None,
        doors: Some(5),
        seats: Some(5),
        body: None,
        country: Some("FR".into()),
        valued_on: "2026-08-15".parse().unwrap(),
    };
    let mut spent = Vec::new();
    for _ in 0..50 {
        let begun = Instant::now();
        estimator.estimate(std::slice::from_ref(&facts), false).await.unwrap();
        spent.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    spent.sort_by(f64::total_cmp);
    spent[spent.len() / 2]
}

async fn report() -> Value {
    let env = Env::from_process();
    let estimator = plugins::pricing(&env).unwrap();
    let work = work(&*estimator).await;
    let app = Setup::default().prices(estimator).start().await;
    let garage = app.garage("dupont").await;
    let round = |value: f64| (value * 1_000.0).round() / 1_000.0;
    let (one, one_inside) = measured(&garage, ONE, &json!({ "c": car(1) })).await;
    let (explained, _) = measured(&garage, EXPLAINED, &json!({ "c": car(1) })).await;
    let cars: Vec<Value> = (0..CARS).map(car).collect();
    let (bulk, bulk_inside) = measured(&garage, BULK, &json!({ "c": cars })).await;
    app.finish().await;
    json!({
        "one_work_ms": round(work), "one_request_ms": round(one), "one_request_onnx_share": round(one_inside / one),
        "one_explained_ms": round(explained),
        "bulk_cars": CARS, "bulk_ms_per_car": round(bulk / CARS as f64), "bulk_onnx_share": round(bulk_inside / bulk),
        "bulk_vs_onnx_floor": round(bulk / bulk_inside),
    })
}

fn main() {
    // `cargo test` builds and starts benches too.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!("{}", runtime.block_on(report()));
}
