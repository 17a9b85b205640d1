//! The papers of a car: its registration certificate and its HistoVec report.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use keroxio_core::relay;
use keroxio_plugin_plates_ppocr::TextPpocr;
use keroxio_plugin_sdk::TextReader;
use keroxio_test_support::{Actor, Answer, Setup, TestApp, fixture};
use serde_json::{Value, json};

const READ: &str = "mutation($file: Upload!, $v: UUID!) { readCertificate(vehicleId: $v, file: $file) { id } }";
const CAR: &str = "query($v: UUID!) { vehicle(id: $v) { plate make model firstRegistration vin powerHp fuel fiscalHp
  seats co2 disputes { field stands { value source } others { value source } }
  certificate { state readBy endedAt fields { code text confidence fact } } } }";

/// The reader of the model store; none, with a word about it, where it is not installed.
fn reader() -> Option<Arc<dyn TextReader>> {
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.keroxio/models");
    let [detection, recognition] = ["detection", "recognition"].map(|net| store.join(format!("ppocr-v4-{net}.json")));
    if !detection.exists() || std::env::var_os("ORT_DYLIB_PATH").is_none() {
        eprintln!("SKIP: ONNX Runtime or the PP-OCR models are not installed (make setup)");
        return None;
    }
    Some(Arc::new(TextPpocr::load(&detection, &recognition).unwrap()))
}

async fn car(garage: &Actor, facts: Value) -> String {
    let created = "mutation($i: VehicleInput!) { createVehicle(input: $i) { id } }";
    garage.run(created, json!({ "i": facts })).await.text("/createVehicle/id")
}

async fn shown(garage: &Actor, vehicle: &str) -> Answer {
    garage.run(CAR, json!({ "v": vehicle })).await
}

#[tokio::test]
async fn a_photo_of_the_certificate_tells_the_facts_of_the_car_and_is_gone() {
    let Some(reader) = reader() else { return };
    let app = Setup::default().texts(reader).start().await;
    let garage = app.garage("dupont").await;
    let vehicle = car(&garage, json!({ "make": "Renault", "fiscalHp": 6 })).await;
    garage.send(READ, json!({ "v": vehicle }), fixture("certificate.jpg")).await.at("/readCertificate");
    assert_eq!(shown(&garage, &vehicle).await.at("/vehicle/certificate/state"), "RUNNING");
    app.run_jobs().await;
    let answer = shown(&garage, &vehicle).await;
    let read = answer.at("/vehicle");
    assert_eq!(read["certificate"]["state"], "DONE", "{read}");
    assert_eq!(read["plate"], "YK-482-ZN", "{read}");
    assert_eq!((&read["firstRegistration"], &read["model"]), (&json!("2018-03"), &json!("Clio")), "{read}");
    assert_eq!((&read["vin"], &read["co2"]), (&json!("VF15RB20A12345678"), &json!(114)), "{read}");
    assert_eq!((&read["powerHp"], &read["fuel"], &read["seats"]), (&json!(90), &json!("PETROL"), &json!(5)), "{read}");
    let disputes = read["disputes"].as_array().unwrap();
    assert_eq!(disputes.len(), 1, "the seller stands by 6 CV, the certificate says 5: {disputes:?}");
    assert_eq!(disputes[0]["field"], "fiscalHp");
    assert_eq!(disputes[0]["others"][0], json!({ "value": "5", "source": "CERTIFICATE" }));
    let text = read.to_string();
    assert!(!text.contains("MARTIN") && !text.contains("LILAS"), "the holder is none of ours");

    let turned = image::load_from_memory(&fixture("certificate.jpg")).unwrap().rotate270();
    let mut file = std::io::Cursor::new(Vec::new());
    turned.write_to(&mut file, image::ImageFormat::Jpeg).unwrap();
    let second = car(&garage, json!({})).await;
    garage.send(READ, json!({ "v": second }), file.into_inner()).await.at("/readCertificate");
    app.run_jobs().await;
    assert_eq!(shown(&garage, &second).await.at("/vehicle/vin"), "VF15RB20A12345678", "whichever way up it is");

    let photos = app.texts("SELECT key AS text FROM storage_objects").await;
    assert!(photos.is_empty(), "the photo is deleted once it is read");
    let stranger = app.garage("martin").await;
    let stolen = stranger.send(READ, json!({ "v": vehicle }), fixture("certificate.jpg")).await;
    assert_eq!(stolen.code(), "NOT_FOUND");
    app.finish().await;
}

#[tokio::test]
async fn a_photo_of_something_else_changes_nothing() {
    let Some(reader) = reader() else { return };
    let app = Setup::default().texts(reader).start().await;
    let garage = app.garage("dupont").await;
    let vehicle = car(&garage, json!({ "make": "Renault" })).await;
    garage.send(READ, json!({ "v": vehicle }), fixture("hatch-front.jpg")).await.at("/readCertificate");
    app.run_jobs().await;
    let answer = shown(&garage, &vehicle).await;
    assert_eq!(answer.at("/vehicle/certificate/state"), "FAILED");
    assert_eq!(answer.at("/vehicle/plate"), &json!(null), "a plate on a car is no certificate's");
    assert_eq!(garage.send(READ, json!({ "v": vehicle }), b"GIF89a".to_vec()).await.code(), "PHOTO_UNSUPPORTED_FORMAT");
    app.finish().await;
    let off = Setup::default().set("KEROXIO_CERTIFICATES", "off").start().await;
    let garage = off.garage("dupont").await;
    let vehicle = car(&garage, json!({ "make": "Renault" })).await;
    let answer = garage.send(READ, json!({ "v": vehicle }), fixture("certificate.jpg")).await;
    assert_eq!(answer.code(), "CERTIFICATE_READER_NOT_CONFIGURED");
    off.finish().await;
}

const RECORD: &str = "mutation($v: UUID!, $i: HistovecInput!) { recordHistovec(vehicleId: $v, input: $i) {
  histovec { reportOn url holders saleForbidden mileages { on km } } } }";

const KEPT: &str = "SELECT sealed_url AS text FROM vehicle_histovec";

fn report() -> Value {
    json!({ "holderAgrees": true, "url": "https://histovec.interieur.gouv.fr/histovec/report?id=1&key=abc",
        "reportOn": "2026-11-01", "holders": 2, "saleForbidden": false,
        "mileages": [{ "on": "2026-03-02", "km": 61_000 }, { "on": "2024-03-01", "km": 40_000 }] })
}

#[tokio::test]
async fn a_histovec_report_is_kept_with_its_holders_consent_until_the_sale_is_over() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let vehicle = car(&garage, json!({ "make": "Renault", "model": "Clio", "mileageKm": 45_000 })).await;
    let with = |field: &str, value: Value| {
        let mut input = report();
        input[field] = value;
        json!({ "v": vehicle, "i": input })
    };
    for (field, value, code) in [
        ("holderAgrees", json!(false), "CONSENT_REQUIRED"),
        ("url", json!("https://histovec.interieur.gouv.fr.evil.example/"), "HISTOVEC_URL_INVALID"),
        ("reportOn", json!("2090-01-01"), "BAD_INPUT"),
        ("holders", json!(0), "VALUE_OUT_OF_RANGE"),
        ("mileages", json!([{ "on": "2024-03-01", "km": -4 }]), "MILEAGE_OUT_OF_RANGE"),
    ] {
        assert_eq!(garage.run(RECORD, with(field, value)).await.code(), code);
    }
    let kept = garage.run(RECORD, json!({ "v": vehicle, "i": report() })).await;
    let histovec = kept.at("/recordHistovec/histovec");
    assert_eq!(histovec["mileages"][0], json!({ "on": "2024-03-01", "km": 40_000 }), "oldest first");
    assert!(histovec["url"].as_str().unwrap().ends_with("key=abc"));
    let sealed = app.texts(KEPT).await;
    assert!(sealed.len() == 1 && !sealed[0].contains("histovec"), "the link opens the report: it is sealed");
    app.run_jobs().await;

    let stranger = app.garage("martin").await;
    assert_eq!(stranger.run(RECORD, json!({ "v": vehicle, "i": report() })).await.code(), "NOT_FOUND");
    let forget = "mutation($v: UUID!) { forgetHistovec(vehicleId: $v) }";
    assert_eq!(stranger.run(forget, json!({ "v": vehicle })).await.code(), "NOT_FOUND");
    for was_there in [true, false] {
        assert_eq!(garage.run(forget, json!({ "v": vehicle })).await.at("/forgetHistovec"), was_there);
    }

    garage.run(RECORD, json!({ "v": vehicle, "i": report() })).await.at("/recordHistovec");
    let go = "mutation($v: UUID!) { moveVehicle(id: $v, to: WITHDRAWN) { id } }";
    garage.run(go, json!({ "v": vehicle })).await.at("/moveVehicle");
    app.run_jobs().await;
    relay::look(&app.app).await.unwrap();
    app.app.clock().advance(Duration::from_secs(29 * 24 * 3_600));
    relay::look(&app.app).await.unwrap();
    app.run_jobs().await;
    assert_eq!(app.texts(KEPT).await.len(), 1);
    app.app.clock().advance(Duration::from_secs(3 * 24 * 3_600));
    relay::look(&app.app).await.unwrap();
    app.run_jobs().await;
    assert!(app.texts(KEPT).await.is_empty());
    app.finish().await;
}
