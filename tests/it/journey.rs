use keroxio_test_support::{Actor, FakePlates, TestApp, fixture};
use serde_json::{Value, json};

const PREPARE: &str = "mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id state } }";
const LISTING: &str =
    "query($id: UUID!) { listing(id: $id) { state title body price { amount } vehicle { plate mileageKm }
  plate { formatted needsConfirmation } estimate { low { amount } mid { amount } high { amount } }
  photos { original { url } cleaning { platesMasked cleaned { url } masked { url } } }
  steps { kind state errorCode missing } }
  publications(listingId: $id) { platform url title state id } }";
const CORRECT: &str = "mutation($id: UUID!, $v: VehicleInput!) { correctListing(id: $id, vehicle: $v) { id } }";

fn clio() -> Value {
    json!({ "make": "Renault", "model": "Clio", "version": "V TCe 90 Zen", "firstRegistration": "2020-03", "mileageKm": 45000, "fuel": "PETROL" })
}

async fn photo(actor: &Actor) -> String {
    actor.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id")
}

async fn prepared(app: &TestApp, actor: &Actor, vehicle: Value) -> String {
    let photo = photo(actor).await;
    let listing = actor.run(PREPARE, json!({ "i": { "photoIds": [photo], "vehicle": vehicle } })).await;
    assert_eq!(listing.at("/prepareListing/state"), "PREPARING");
    app.run_jobs().await;
    listing.text("/prepareListing/id")
}

#[tokio::test]
async fn one_photo_becomes_an_ad() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let id = prepared(&app, &garage, clio()).await;
    let listing = garage.run(LISTING, json!({ "id": id })).await;
    assert_eq!(listing.at("/listing/state"), "READY", "{}", listing.0);
    assert_eq!(listing.at("/listing/vehicle/plate"), "YK-482-ZN");
    assert_eq!(listing.at("/listing/price/amount"), 12_540);
    assert_eq!(listing.at("/listing/title"), "Renault Clio V TCe 90 Zen - 2020");
    assert_eq!(listing.at("/listing/photos/0/cleaning/platesMasked"), 1);
    for rendition in ["cleaned", "masked"] {
        let url = listing.text(&format!("/listing/photos/0/cleaning/{rendition}/url"));
        assert_eq!(garage.get(&url).await.headers()["content-type"], "image/jpeg");
    }
    let platforms: Vec<_> =
        listing.at("/publications").as_array().unwrap().iter().map(|p| p["platform"].clone()).collect();
    assert_eq!(platforms, ["leboncoin", "la_centrale", "paruvendu"]);
    let told = garage.run("{ notifications { nodes { kind subjectId } } unreadNotifications }", json!({})).await;
    assert_eq!(told.at("/notifications/nodes"), &json!([{ "kind": "listing_ready", "subjectId": id }]));
    app.finish().await;
}

#[tokio::test]
async fn what_is_missing_is_named_and_a_correction_recomputes_only_what_depends_on_it() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let id = prepared(&app, &garage, json!({ "make": "Renault", "model": "Clio" })).await;
    let before = garage.run(LISTING, json!({ "id": id })).await;
    assert_eq!(before.at("/listing/state"), "INCOMPLETE");
    let price = before.at("/listing/steps").as_array().unwrap().iter().find(|s| s["kind"] == "PRICE").unwrap().clone();
    assert_eq!(
        price,
        json!({ "kind": "PRICE", "state": "NEEDS_INPUT", "errorCode": "FACTS_MISSING", "missing": ["firstRegistration", "mileageKm"] })
    );
    garage
        .run(CORRECT, json!({ "id": id, "v": { "firstRegistration": "2020-03", "mileageKm": 45000 } }))
        .await
        .at("/correctListing/id");
    let jobs = app.run_jobs().await;
    let after = garage.run(LISTING, json!({ "id": id })).await;
    assert_eq!(after.at("/listing/state"), "READY", "{}", after.0);
    assert_eq!(after.at("/listing/price/amount"), 12_540);
    // advance, price, advance, packs, deadlines, a note for webhooks, advance: no plate is read and no photo cleaned again.
    assert_eq!(jobs, 7);
    app.finish().await;
}

#[tokio::test]
async fn a_doubtful_plate_is_shown_but_not_used() {
    let app = TestApp::with(FakePlates::reading("YK482ZN", 0.6)).await;
    let garage = app.garage("dupont").await;
    let id = prepared(&app, &garage, clio()).await;
    let listing = garage.run(LISTING, json!({ "id": id })).await;
    assert_eq!(listing.at("/listing/plate"), &json!({ "formatted": "YK-482-ZN", "needsConfirmation": true }));
    assert_eq!(listing.at("/listing/vehicle/plate"), &Value::Null);
    app.finish().await;
}

#[tokio::test]
async fn no_plate_and_an_unknown_make_leave_the_other_steps_alone() {
    let app = TestApp::with(FakePlates::seeing_nothing()).await;
    let garage = app.garage("dupont").await;
    let mut facts = clio();
    facts["make"] = json!("Zzyzx");
    let id = prepared(&app, &garage, facts).await;
    let listing = garage.run(LISTING, json!({ "id": id })).await;
    assert_eq!(listing.at("/listing/state"), "INCOMPLETE");
    let states: Vec<(String, String)> = listing
        .at("/listing/steps")
        .as_array()
        .unwrap()
        .iter()
        .map(|s| (s["kind"].as_str().unwrap().to_owned(), s["state"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [
        ("PLATE", "DONE"),
        ("VEHICLE", "DONE"),
        ("PHOTO", "DONE"),
        ("PRICE", "FAILED"),
        ("TEXT", "DONE"),
        ("PUBLICATION", "DONE"),
    ];
    assert_eq!(states, expected.map(|(kind, state)| (kind.to_owned(), state.to_owned())));
    app.finish().await;
}

#[tokio::test]
async fn another_garage_sees_nothing_of_it() {
    let app = TestApp::start().await;
    let (garage, stranger) = (app.garage("dupont").await, app.garage("martin").await);
    let id = prepared(&app, &garage, clio()).await;
    assert_eq!(stranger.run(LISTING, json!({ "id": id })).await.code(), "NOT_FOUND");
    assert_eq!(stranger.run(CORRECT, json!({ "id": id, "v": {} })).await.code(), "NOT_FOUND");
    let theirs = photo(&garage).await;
    let stolen = stranger.run(PREPARE, json!({ "i": { "photoIds": [theirs] } })).await;
    assert_eq!(stolen.code(), "NOT_FOUND");
    app.finish().await;
}

#[tokio::test]
async fn the_seller_corrects_a_plate_and_a_foreign_one_is_said_to_be_so() {
    let app = TestApp::with(FakePlates::reading("YK482ZN", 0.6)).await;
    let garage = app.garage("dupont").await;
    let photo = photo(&garage).await;
    let reading = garage.run("mutation($p: UUID!) { readPlate(photoId: $p) { id } }", json!({ "p": photo })).await;
    let id = reading.text("/readPlate/id");
    app.run_jobs().await;
    let correct =
        "mutation($r: UUID!, $t: String!, $f: Boolean!) { correctPlate(readingId: $r, text: $t, foreign: $f) {
      formatted kind confidence needsConfirmation } }";
    let french = garage.run(correct, json!({ "r": id, "t": "yk 482 zh", "f": false })).await;
    let expected = json!({ "formatted": "YK-482-ZH", "kind": "SIV", "confidence": 1.0, "needsConfirmation": false });
    assert_eq!(french.at("/correctPlate"), &expected);
    assert_eq!(garage.run(correct, json!({ "r": id, "t": "B-AB 1234", "f": false })).await.code(), "PLATE_INVALID");
    let german = garage.run(correct, json!({ "r": id, "t": "B-AB 1234", "f": true })).await;
    let expected = json!({ "formatted": "BAB1234", "kind": null, "confidence": 1.0, "needsConfirmation": false });
    assert_eq!(german.at("/correctPlate"), &expected);
    let car = json!({ "i": { "plate": "B-AB 1234", "foreignPlate": true } });
    let created = garage.run("mutation($i: VehicleInput!) { createVehicle(input: $i) { plate } }", car).await;
    assert_eq!(created.at("/createVehicle/plate"), "BAB1234");
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn impossible_facts_are_refused_before_anything_is_stored() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let photo = photo(&garage).await;
    let cases = [
        (json!({ "mileageKm": -1 }), "MILEAGE_OUT_OF_RANGE"),
        (json!({ "mileageKm": 9_000_000 }), "MILEAGE_OUT_OF_RANGE"),
        (json!({ "firstRegistration": "1890-01" }), "FIRST_REGISTRATION_INVALID"),
        (json!({ "plate": "not a plate" }), "PLATE_INVALID"),
        (json!({ "plate": "B-AB 1234" }), "PLATE_INVALID"),
        (json!({ "plate": "WW-123-AB" }), "PLATE_TEMPORARY"),
        (json!({ "doors": 12 }), "VALUE_OUT_OF_RANGE"),
    ];
    for (facts, code) in cases {
        let refused = garage.run(PREPARE, json!({ "i": { "photoIds": [photo], "vehicle": facts } })).await;
        assert_eq!(refused.code(), code, "{facts}");
    }
    let none = garage.run(PREPARE, json!({ "i": { "photoIds": [] } })).await;
    assert_eq!(none.code(), "PHOTO_COUNT");
    let listings = garage.run("{ listings { nodes { id } } }", json!({})).await;
    assert_eq!(listings.at("/listings/nodes"), &json!([]));
    app.finish().await;
}
