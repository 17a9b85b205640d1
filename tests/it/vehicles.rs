//! What is known of a car: who said it, who says otherwise, and how a slip is taken back.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use keroxio_plugin_sdk::{Fuel, RegisteredCar};
use keroxio_test_support::{Actor, FakePlates, FakeRegistry, Setup, TestApp, fixture};
use serde_json::{Value, json};

const CREATE: &str = "mutation($v: VehicleInput!) { createVehicle(input: $v) { id } }";
const UPDATE: &str = "mutation($id: UUID!, $v: VehicleInput!) { updateVehicle(id: $id, input: $v) { mileageKm } }";
const UNDO: &str = "mutation($id: UUID!) { undoVehicleChange(id: $id) { mileageKm colour version } }";
const SETTLE: &str =
    "mutation($id: UUID!, $s: UUID!) { settleVehicleFact(id: $id, statementId: $s) { plate disputes { field } } }";
const HISTORY: &str = "query($id: UUID!, $f: String) { vehicle(id: $id) { history(field: $f) {
  nodes { value source confidence retractedAt } } } }";
const DISPUTES: &str = "query($id: UUID!) { vehicle(id: $id) { plate
  disputes { field stands { value source } others { id value source confidence mayBeShown label } } } }";

async fn created(actor: &Actor, facts: Value) -> String {
    actor.run(CREATE, json!({ "v": facts })).await.text("/createVehicle/id")
}

#[tokio::test]
async fn a_slip_is_taken_back_and_everything_that_was_said_stays_known() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let id =
        created(&garage, json!({ "make": "Renault", "model": "Clio", "mileageKm": 45_000, "colour": "bleu" })).await;
    let undone = async || garage.run(UNDO, json!({ "id": id })).await;
    assert_eq!(undone().await.code(), "NOTHING_TO_UNDO");
    garage.run(UPDATE, json!({ "id": id, "v": { "mileageKm": 54_000, "version": "Zen" } })).await.at("/updateVehicle");
    garage.run(UPDATE, json!({ "id": id, "v": { "mileageKm": 540_000, "colour": null } })).await.at("/updateVehicle");
    let same = garage.run(UPDATE, json!({ "id": id, "v": { "mileageKm": 540_000 } })).await;
    assert_eq!(same.at("/updateVehicle/mileageKm"), 540_000, "to say the same again is no change");
    let before = json!({ "mileageKm": 54_000, "colour": "bleu", "version": "Zen" });
    assert_eq!(undone().await.at("/undoVehicleChange"), &before);
    let begun = json!({ "mileageKm": 45_000, "colour": "bleu", "version": null });
    assert_eq!(undone().await.at("/undoVehicleChange"), &begun);
    assert_eq!(undone().await.code(), "NOTHING_TO_UNDO");
    let history = garage.run(HISTORY, json!({ "id": id, "f": "mileageKm" })).await;
    let nodes = history.at("/vehicle/history/nodes").as_array().unwrap();
    let told: Vec<(&Value, bool)> = nodes.iter().map(|s| (&s["value"], s["retractedAt"].is_null())).collect();
    assert_eq!(told, [(&json!("540000"), false), (&json!("54000"), false), (&json!("45000"), true)]);
    let wrong = garage.run(HISTORY, json!({ "id": id, "f": "horsepower" })).await;
    assert_eq!(wrong.code(), "BAD_INPUT");
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn a_photo_that_says_otherwise_than_the_seller_is_told_and_not_believed() {
    let app = TestApp::with(FakePlates::reading("YK482ZN", 0.999)).await;
    let (garage, stranger) = (app.garage("dupont").await, app.garage("martin").await);
    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let facts = json!({ "plate": "GA-123-BB", "make": "Renault", "model": "Clio", "version": "Zen",
        "firstRegistration": "2020-03", "mileageKm": 45_000 });
    let prepare = "mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id vehicle { id } } }";
    let made = garage.run(prepare, json!({ "i": { "photoIds": [photo], "vehicle": facts } })).await;
    let (listing, id) = (made.text("/prepareListing/id"), made.text("/prepareListing/vehicle/id"));
    app.run_jobs().await;

    let told = garage.run(DISPUTES, json!({ "id": id })).await;
    assert_eq!(told.at("/vehicle/plate"), "GA-123-BB");
    let dispute = told.at("/vehicle/disputes/0");
    assert_eq!(dispute["field"], "plate");
    assert_eq!(dispute["stands"], json!({ "value": "GA-123-BB", "source": "SELLER" }));
    let other = &dispute["others"][0];
    assert_eq!((&other["value"], &other["source"]), (&json!("YK-482-ZN"), &json!("PLATE")));
    assert!(other["confidence"].as_f64().unwrap() > 0.9);
    assert_eq!((&other["mayBeShown"], &other["label"]), (&json!(false), &json!("immatriculation")));
    let judge = "query($l: UUID!) { publishability(listingId: $l, channel: \"leboncoin\") { findings { code fix } } }";
    let found = garage.run(judge, json!({ "l": listing })).await;
    let disputed = json!({ "code": "FACTS_DISPUTED", "fix": "settleVehicleFact" });
    assert!(found.at("/publishability/findings").as_array().unwrap().contains(&disputed));

    let choice = json!({ "id": id, "s": other["id"] });
    assert_eq!(stranger.run(SETTLE, choice.clone()).await.code(), "NOT_FOUND");
    assert_eq!(stranger.run(UNDO, json!({ "id": id })).await.code(), "NOT_FOUND");
    let elsewhere = created(&garage, json!({ "make": "Fiat" })).await;
    assert_eq!(garage.run(SETTLE, json!({ "id": elsewhere, "s": other["id"] })).await.code(), "NOT_FOUND");
    let settled = garage.run(SETTLE, choice).await;
    assert_eq!(settled.at("/settleVehicleFact"), &json!({ "plate": "YK-482-ZN", "disputes": [] }));
    app.run_jobs().await;
    let found = garage.run(judge, json!({ "l": listing })).await;
    assert!(!found.at("/publishability/findings").as_array().unwrap().contains(&disputed));
    garage.run(UNDO, json!({ "id": id })).await.at("/undoVehicleChange");
    let again = garage.run(DISPUTES, json!({ "id": id })).await;
    assert_eq!(again.at("/vehicle/disputes/0/field"), "plate");
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn a_listing_follows_its_car_however_that_is_corrected() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let facts = json!({ "make": "Renault", "model": "Clio", "firstRegistration": "2020-03", "mileageKm": 45_000 });
    let prepare = "mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id vehicle { id } } }";
    let made = garage.run(prepare, json!({ "i": { "photoIds": [photo], "vehicle": facts } })).await;
    let (listing, id) = (made.text("/prepareListing/id"), made.text("/prepareListing/vehicle/id"));
    app.run_jobs().await;
    let says = async |words: &str| {
        let shown = garage.run("query($l: UUID!) { listing(id: $l) { body } }", json!({ "l": listing })).await;
        shown.text("/listing/body").replace(['\u{202f}', '\u{a0}'], " ").contains(words)
    };
    assert!(says("45 000 km").await);
    garage.run(UPDATE, json!({ "id": id, "v": { "mileageKm": 46_000 } })).await.at("/updateVehicle");
    app.run_jobs().await;
    assert!(says("46 000 km").await);
    garage.run(UNDO, json!({ "id": id })).await.at("/undoVehicleChange");
    app.run_jobs().await;
    assert!(says("45 000 km").await);
    app.finish().await;
}

const ACCESS: &str = "mutation($c: String!) { setRegistryAccess(credential: $c) { register refusedAt } }";
const SPENT: &str = "{ registryAccess { refusedAt lookupsThisMonth costThisMonthCents } }";

fn known_car() -> Arc<FakeRegistry> {
    Arc::new(FakeRegistry::knowing(
        "YK482ZN",
        RegisteredCar {
            make: Some("RENAULT".into()),
            model: Some("CLIO".into()),
            version: Some("V TCe 90 Zen".into()),
            first_registration: "2020-03-14".parse().ok(),
            fuel: Some(Fuel::Petrol),
            doors: Some(99),
            ..RegisteredCar::default()
        },
    ))
}

#[tokio::test]
async fn a_plate_on_a_photo_makes_the_car_known() {
    let register = known_car();
    let app = Setup::default().registry(register.clone()).start().await;
    let garage = app.garage("dupont").await;
    assert_eq!(garage.run(SPENT, json!({})).await.at("/registryAccess"), &Value::Null);
    garage.run(ACCESS, json!({ "c": FakeRegistry::CREDENTIAL })).await.at("/setRegistryAccess");
    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let prepare = "mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id vehicle { id } } }";
    let facts = json!({ "mileageKm": 45_000, "model": "Clio Estate" });
    let made = garage.run(prepare, json!({ "i": { "photoIds": [photo], "vehicle": facts } })).await;
    let (listing, id) = (made.text("/prepareListing/id"), made.text("/prepareListing/vehicle/id"));
    app.run_jobs().await;
    let shown = "query($l: UUID!) { listing(id: $l) { state title vehicle { make model firstRegistration fuel doors
      registryAnswer { found costCents } facts { field source } disputes { field others { value source } } } } }";
    let shown = garage.run(shown, json!({ "l": listing })).await;
    assert_eq!(shown.at("/listing/state"), "READY", "{}", shown.0);
    let car = shown.at("/listing/vehicle");
    assert_eq!((&car["make"], &car["firstRegistration"]), (&json!("Renault"), &json!("2020-03")));
    assert_eq!(
        (&car["model"], &car["doors"]),
        (&json!("Clio Estate"), &Value::Null),
        "the seller's word, and no nonsense"
    );
    let disputed = json!([{ "field": "model", "others": [{ "value": "Clio", "source": "REGISTRY" }] }]);
    assert_eq!(car["disputes"], disputed);
    assert!(car["facts"].as_array().unwrap().contains(&json!({ "field": "make", "source": "REGISTRY" })));
    assert_eq!(car["registryAnswer"], json!({ "found": true, "costCents": 25 }));

    let look = "mutation($id: UUID!) { lookUpVehicle(id: $id) { id } }";
    garage.run(look, json!({ "id": id })).await.at("/lookUpVehicle");
    created(&garage, json!({ "plate": "YK-482-ZN" })).await;
    app.run_jobs().await;
    assert_eq!(register.asked.load(Ordering::Relaxed), 1, "an answer of this month still answers");
    let spent = json!({ "refusedAt": null, "lookupsThisMonth": 1, "costThisMonthCents": 25 });
    assert_eq!(garage.run(SPENT, json!({})).await.at("/registryAccess"), &spent);
    let stranger = app.garage("martin").await;
    assert_eq!(stranger.run(look, json!({ "id": id })).await.code(), "NOT_FOUND");
    created(&stranger, json!({ "plate": "YK-482-ZN" })).await;
    app.run_jobs().await;
    assert_eq!(register.asked.load(Ordering::Relaxed), 1, "another's answers are not theirs");
    app.finish().await;
}

#[tokio::test]
async fn without_a_register_the_journey_goes_on_and_says_so() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    assert_eq!(garage.run(ACCESS, json!({ "c": "any" })).await.code(), "REGISTRY_NOT_CONFIGURED");
    app.finish().await;
    let app = Setup::default().registry(known_car()).start().await;
    let garage = app.garage("dupont").await;
    let look = "mutation($id: UUID!) { lookUpVehicle(id: $id) { make } }";
    let id = created(&garage, json!({ "plate": "YK-482-ZN" })).await;
    assert_eq!(garage.run(look, json!({ "id": id })).await.code(), "REGISTRY_ACCESS_MISSING");
    assert_eq!(garage.run(ACCESS, json!({ "c": "two\nlines" })).await.code(), "BAD_INPUT");
    garage.run(ACCESS, json!({ "c": "a wrong one" })).await.at("/setRegistryAccess");
    garage.run(look, json!({ "id": id })).await.at("/lookUpVehicle");
    app.run_jobs().await;
    assert!(garage.run(SPENT, json!({})).await.at("/registryAccess/refusedAt").is_string());
    garage.run(ACCESS, json!({ "c": FakeRegistry::CREDENTIAL })).await.at("/setRegistryAccess");
    garage.run(look, json!({ "id": id })).await.at("/lookUpVehicle");
    let bare = created(&garage, json!({ "make": "Fiat" })).await;
    assert_eq!(garage.run(look, json!({ "id": bare })).await.code(), "PLATE_INVALID");
    app.run_jobs().await;
    let known = garage.run("query($id: UUID!) { vehicle(id: $id) { make } }", json!({ "id": id })).await;
    assert_eq!(known.at("/vehicle/make"), "Renault");
    garage.run(UPDATE, json!({ "id": id, "v": { "plate": "GA-123-BB" } })).await.at("/updateVehicle");
    app.run_jobs().await;
    let other = garage
        .run("query($id: UUID!) { vehicle(id: $id) { make registryAnswer { found } } }", json!({ "id": id }))
        .await;
    let expected = json!({ "make": null, "registryAnswer": { "found": false } });
    assert_eq!(other.at("/vehicle"), &expected, "what was said of another number does not hold");
    let listed = "mutation { createVehicle(input: { plate: \"YK-482-ZN\", stockNumber: \"VO-1\" }) { id } }";
    let listed = garage.run(listed, json!({})).await.text("/createVehicle/id");
    app.run_jobs().await;
    let import = "mutation($file: Upload!) { importStock(file: $file) { updated } }";
    let table = "reference;immatriculation;marque;modele\nVO-1;GA-123-BB;Fiat;500\n".as_bytes().to_vec();
    assert_eq!(garage.send(import, json!({}), table).await.at("/importStock/updated"), 1);
    app.run_jobs().await;
    let facts = "query($id: UUID!) { vehicle(id: $id) { make firstRegistration disputes { field } } }";
    let expected = json!({ "make": "Fiat", "firstRegistration": null, "disputes": [] });
    assert_eq!(garage.run(facts, json!({ "id": listed })).await.at("/vehicle"), &expected, "nor after an import");
    let removed = garage.run("mutation { removeRegistryAccess }", json!({})).await;
    assert_eq!(removed.at("/removeRegistryAccess"), true);
    app.finish().await;
}

#[tokio::test]
async fn a_text_with_a_nul_is_refused_wherever_it_comes_in() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let nul = json!({ "s": "a\0b" });
    let search = "query($s: String) { vehicles(search: $s) { nodes { id } } }";
    assert_eq!(garage.run(search, nul.clone()).await.code(), "BAD_INPUT");
    let create = "mutation($s: String) { createVehicle(input: { colour: $s }) { id } }";
    let refused = garage.run(create, nul).await;
    assert_eq!(refused.code(), "BAD_INPUT");
    assert!(refused.0["errors"][0]["message"].as_str().unwrap().contains("U+0000"), "{}", refused.0);
    let literal = "mutation { createVehicle(input: { model: \"a\\u0000b\" }) { id } }";
    assert_eq!(garage.run(literal, json!({})).await.code(), "BAD_INPUT");
    app.finish().await;
}

#[tokio::test]
async fn a_form_is_completed_from_the_catalogue() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let typed = "query($m: String, $t: String) { vehicleMakes(search: $m, first: 3) {
      name models(search: $t, first: 2) { name firstYear lastYear fuels versions } } }";
    let found = garage.run(typed, json!({ "m": "rena", "t": "megan" })).await;
    assert_eq!(found.at("/vehicleMakes/0/name"), "Renault");
    let model = found.at("/vehicleMakes/0/models/0");
    assert_eq!(model["name"], "Mégane");
    assert!(model["fuels"].as_array().unwrap().contains(&json!("DIESEL")), "{model}");
    assert!(model["versions"].as_array().unwrap().iter().any(|v| v.as_str().unwrap().contains("dCi")), "{model}");
    let by_name = garage.run("{ vehicleMake(name: \"CITROEN\") { name } }", json!({})).await;
    assert_eq!(by_name.at("/vehicleMake/name"), "Citroën");
    let unknown = garage.run("{ vehicleMake(name: \"Zorglub\") { name } }", json!({})).await;
    assert_eq!(unknown.at("/vehicleMake"), &json!(null));
    assert_eq!(app.anonymous().run(typed, json!({})).await.code(), "UNAUTHENTICATED");
    app.finish().await;
}
