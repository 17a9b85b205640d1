#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

use keroxio_plugin_sdk::{
    CarFacts, Fuel, Gearbox, PriceAnswer, PriceEstimator as _, PriceRemark, age_years, conformance,
};
use serde_json::Value;

use crate::encoding::{Resolved, normalise, unglue};
use crate::{PricingOrt, features};

/// None, with a word about it, where ONNX Runtime is not installed.
fn estimator() -> Option<PricingOrt> {
    if std::env::var_os("ORT_DYLIB_PATH").is_none() {
        eprintln!("SKIP: ORT_DYLIB_PATH is not set");
        return None;
    }
    Some(PricingOrt::load(&model_dir()).unwrap())
}

fn model_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("model")
}

fn clio() -> CarFacts {
    CarFacts {
        make: "Renault".into(),
        model: "Clio V".into(),
        version: Some("TCe 90 Zen".into()),
        first_registration_year: 2020,
        first_registration_month: Some(3),
        mileage_km: 45_000,
        fuel: Some(Fuel::Petrol),
        gearbox: Some(Gearbox::Manual),
        power_hp: Some(90),
        fiscal_hp: None,
        doors: Some(5),
        seats: Some(5),
        body: None,
        country: Some("FR".into()),
        valued_on: "2026-08-01".parse().unwrap(),
    }
}

fn resolved(facts: &Value) -> Resolved {
    let text = |name: &str| facts[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| facts[name].as_f64().unwrap();
    let (year, month) = (facts["year"].as_i64().unwrap() as i32, number("month"));
    let on: chrono::NaiveDate = facts["on"].as_str().unwrap().parse().unwrap();
    use chrono::Datelike as _;
    Resolved {
        brand: text("brand"),
        model: text("model"),
        version: text("version"),
        year,
        month,
        age: age_years(year, (month > 0.0).then_some(month as u32), on),
        mileage_km: number("mileage_km"),
        fuel: text("fuel"),
        gearbox: text("gearbox"),
        power_hp: number("power_hp"),
        doors: number("doors"),
        seats: number("seats"),
        body: text("body"),
        country: text("country"),
        market_year: on.year(),
        market_month: on.year() * 12 + on.month() as i32,
        remarks: Vec::new(),
    }
}

#[test]
fn rust_and_python_see_the_same_car() {
    let Some(estimator) = estimator() else { return };
    let golden: Vec<Value> = serde_json::from_slice(&std::fs::read(model_dir().join("golden.json")).unwrap()).unwrap();
    assert_eq!(golden.len(), 200);
    for row in golden {
        let vector = features::vector(&estimator.inner.encoding, &resolved(&row["facts"]));
        let expected: Vec<f64> = row["features"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        assert_eq!(vector.len(), expected.len());
        for (at, (ours, theirs)) in vector.iter().zip(&expected).enumerate() {
            assert!(
                (f64::from(*ours) - theirs).abs() <= 1e-6 * theirs.abs().max(1.0),
                "feature {at}: {ours} {theirs} of {row}"
            );
        }
        let [low, mid, high] = estimator.inner.model.logs(&[vector]).unwrap()[0];
        for (ours, name) in [(low, "low"), (mid, "mid"), (high, "high")] {
            let theirs = row["log_price"][name].as_f64().unwrap();
            assert!(((ours - theirs).exp() - 1.0).abs() < 0.001, "{name}: {ours} {theirs}");
        }
    }
}

#[tokio::test]
async fn the_estimator_keeps_the_promises_of_its_port() {
    let Some(estimator) = estimator() else { return };
    conformance::price_estimator(&estimator, clio()).await;
}

#[tokio::test]
async fn more_mileage_never_raises_a_price_and_spelling_does_not_matter() {
    let Some(estimator) = estimator() else { return };
    let cars: Vec<CarFacts> = (1..31).map(|n| CarFacts { mileage_km: n * 10_000, ..clio() }).collect();
    let mids: Vec<f64> = estimator.estimate(&cars, false).await.unwrap().into_iter().map(mid).collect();
    assert!(mids.windows(2).all(|pair| pair[1] <= pair[0] * 1.01), "{mids:?}");
    let spelt = [("VW", "Golf"), ("Volkswagen", "GOLF"), ("volkswagen", "golf")].map(|(make, model)| CarFacts {
        make: make.into(),
        model: model.into(),
        ..clio()
    });
    let prices: Vec<f64> = estimator.estimate(&spelt, false).await.unwrap().into_iter().map(mid).collect();
    assert!(prices.windows(2).all(|pair| pair[0] == pair[1]), "{prices:?}");
}

fn mid(answer: PriceAnswer) -> f64 {
    match answer {
        PriceAnswer::Estimate { range, .. } => range.mid,
        PriceAnswer::Refused(refusal) => panic!("refused: {refusal:?}"),
    }
}

#[test]
fn texts_are_normalised_as_in_training() {
    assert_eq!(normalise("  Citroën  C4-Picasso 1.6 e-HDi+ "), "citroen c4 picasso 1.6 e hdi+");
    assert_eq!(normalise("Škoda 🚗"), "skoda");
}

#[test]
fn glued_words_come_apart_but_names_stay_whole() {
    let spelt = ["308sw", "clio4", "1.5dci", "dci90", "150ch", "c4", "118d", "16v", "rs3", "c4picasso"].map(unglue);
    assert_eq!(spelt, ["308 sw", "clio 4", "1.5 dci", "dci 90", "150 ch", "c4", "118d", "16v", "rs3", "c4 picasso"]);
}

#[test]
fn a_car_is_found_however_it_is_typed() {
    let Some(estimator) = estimator() else { return };
    let found = |make: &str, model: &str| {
        let car = CarFacts { make: make.into(), model: model.into(), version: None, ..clio() };
        let car = estimator.inner.encoding.resolve(&car).unwrap();
        (car.brand, car.model, car.version)
    };
    let is = |brand: &str, model: &str, version: &str| (brand.to_owned(), model.to_owned(), version.to_owned());
    assert_eq!(found("Peugeot", "308SW"), is("peugeot", "308", "sw"));
    assert_eq!(found("Renault", "clio4"), is("renault", "clio", "4"));
    assert_eq!(found("Renault", "clio 4 1.5dci 90 business"), is("renault", "clio", "4 1.5 dci 90 business"));
    assert_eq!(found("Renault", "Renault Clio"), is("renault", "clio", ""));
    assert_eq!(found("", "Renault Clio IV"), is("renault", "clio", "iv"));
    assert_eq!(found("Renault Clio", ""), is("renault", "clio", ""));
    assert_eq!(found("VW Golf", "7 GTI"), is("volkswagen", "golf", "7 gti"));
    assert_eq!(found("Volkswagen", "Up!"), is("volkswagen", "up", ""));
    assert_eq!(found("Kia", "Cee'd SW"), is("kia", "ceed cee d", "sw"));
    assert_eq!(found("Mercedes-Benz", "C220 CDI"), is("mercedes", "classe c", "220 cdi"));
    assert_eq!(found("BMW", "320d Touring"), is("bmw", "serie 3", "320d touring"));
    assert_eq!(found("Mini", "Cabriolet"), is("mini", "cabrio", ""));
}

/// Every model a seller is offered for completion reaches the ads of its own.
#[test]
fn the_catalogue_and_the_price_model_speak_of_the_same_cars() {
    let Some(estimator) = estimator() else { return };
    let file = model_dir().join("../../../modules/vehicle/catalogue/catalogue.json");
    let makes: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut lost = Vec::new();
    for make in &makes {
        for model in make["models"].as_array().unwrap() {
            let (make, name) = (make["make"].as_str().unwrap(), model["model"].as_str().unwrap());
            let car = CarFacts { make: make.into(), model: name.into(), version: None, ..clio() };
            let encoding = &estimator.inner.encoding;
            let known = encoding.resolve(&car).map_or(0, |car| encoding.ads_of(&car));
            let counted = model["ads"].as_u64().unwrap();
            // The advertisements name a Lexus by its engine: the model alone is what few of them say.
            let least = if make == "Lexus" { 1 } else { counted / 4 };
            if u64::from(known) < least {
                lost.push(format!("{make} {name}: {known} of {counted}"));
            }
        }
    }
    assert_eq!(lost, Vec::<String>::new());
}

#[tokio::test]
async fn nonsense_is_refused_and_an_unknown_model_gets_a_wider_interval() {
    let Some(estimator) = estimator() else { return };
    let cars = [
        CarFacts { first_registration_year: 1890, ..clio() },
        CarFacts { first_registration_year: 2035, ..clio() },
        CarFacts { mileage_km: 3_000_000, ..clio() },
        CarFacts { mileage_km: 3, ..clio() },
        CarFacts { make: "Zorglub".into(), model: "X".into(), ..clio() },
    ];
    for answer in estimator.estimate(&cars, false).await.unwrap() {
        assert!(matches!(answer, PriceAnswer::Refused(_)), "{answer:?}");
    }
    let pair = [clio(), CarFacts { model: "Zorglub".into(), ..clio() }];
    let widths: Vec<f64> = estimator.estimate(&pair, false).await.unwrap().into_iter().map(width).collect();
    assert!(widths[1] > widths[0] * 1.5, "{widths:?}");
}

#[tokio::test]
async fn kilowatts_typed_as_horsepower_are_told_apart() {
    let Some(estimator) = estimator() else { return };
    let golf = CarFacts { make: "Volkswagen".into(), model: "Golf".into(), version: None, ..clio() };
    let cars = [
        CarFacts { power_hp: Some(66), ..clio() },
        CarFacts { power_hp: Some(90), ..clio() },
        CarFacts { power_hp: Some(37), ..golf.clone() },
        CarFacts { power_hp: None, ..golf },
    ];
    let answers = estimator.estimate(&cars, false).await.unwrap();
    let remarks: Vec<Vec<PriceRemark>> = answers
        .iter()
        .map(|answer| match answer {
            PriceAnswer::Estimate { remarks, .. } => remarks.clone(),
            PriceAnswer::Refused(refusal) => panic!("refused: {refusal:?}"),
        })
        .collect();
    assert_eq!(remarks[0], [PriceRemark::PowerInKilowatts], "66 kW are the 90 hp of the version");
    assert_eq!(mid(answers[0].clone()), mid(answers[1].clone()));
    assert_eq!(remarks[2], [], "37 kW would be 50 hp: no Golf has either, so it is left as it is");
    assert_eq!(remarks[3], [PriceRemark::PowerUnknown]);
}

fn width(answer: PriceAnswer) -> f64 {
    match answer {
        PriceAnswer::Estimate { range, .. } => (range.high - range.low) / range.mid,
        PriceAnswer::Refused(refusal) => panic!("refused: {refusal:?}"),
    }
}

/// Random cars of the golden rows, aged by mileage, by registration and by the day of the quote.
#[test]
fn more_mileage_or_age_never_raises_a_price() {
    let Some(estimator) = estimator() else { return };
    let inner = &estimator.inner;
    let golden: Vec<Value> = serde_json::from_slice(&std::fs::read(model_dir().join("golden.json")).unwrap()).unwrap();
    for row in golden {
        let car = Resolved { market_year: 2026, ..resolved(&row["facts"]) };
        let further = |n: i32| Resolved { mileage_km: f64::from(n) * 9_000.0, ..car.clone() };
        let quoted_later = |n: i32| Resolved {
            age: f64::from(n) / 3.0,
            market_year: 2026 + n / 3,
            market_month: 2026 * 12 + 1 + 4 * n,
            ..car.clone()
        };
        let registered_earlier = |n: i32| Resolved { age: f64::from(n), year: 2026 - n, ..car.clone() };
        let series: [&dyn Fn(i32) -> Resolved; 3] = [&further, &quoted_later, &registered_earlier];
        for (which, make) in series.iter().enumerate() {
            let cars: Vec<Resolved> = (0..30).map(make).collect();
            let asked: Vec<&Resolved> = cars.iter().collect();
            let prices = inner.model.prices(&inner.encoding, &inner.calibration, &asked).unwrap();
            let mut least = f64::INFINITY;
            for price in prices {
                assert!(price.mid <= least * 1.01, "series {which}: {} after {least} for {car:?}", price.mid);
                least = least.min(price.mid);
            }
        }
    }
}
