//! What sellers and their garages see of plate reading.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use diesel_async::RunQueryDsl as _;
use keroxio_core::relay;
use keroxio_plugin_plates_remote::PlatesRemote;
use keroxio_plugin_sdk::PlateReaders;
use keroxio_test_support::{Actor, FakePlates, Setup, TestApp, fixture};
use serde_json::{Value, json};

const READ: &str = "mutation($p: UUID!) { readPlate(photoId: $p) { id } }";
const READING: &str = "query($id: UUID!) { plateReading(id: $id) { state formatted kind confidence needsConfirmation
  doubtfulCharacter readBy candidates { formatted confidence } crop } }";
const CORRECT: &str = "mutation($r: UUID!, $t: String!, $k: Boolean!) { correctPlate(readingId: $r, text: $t, keepAsExample: $k) { id } }";
const PREPARE: &str = "mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id } }";
const LISTING: &str = "query($id: UUID!) { listing(id: $id) { plate { formatted needsConfirmation } vehicle { plate }
  photos { cleaning { state errorCode platesMasked } } } }";

async fn read(app: &TestApp, garage: &Actor) -> String {
    read_on(app, garage, "hatch-front.jpg").await
}

async fn read_on(app: &TestApp, garage: &Actor, photo: &str) -> String {
    let photo = garage.upload(fixture(photo)).await.text("/uploadPhoto/id");
    let id = garage.run(READ, json!({ "p": photo })).await.text("/readPlate/id");
    app.run_jobs().await;
    id
}

async fn listing_of(app: &TestApp, garage: &Actor, photos: &[&str]) -> Value {
    let mut ids = Vec::new();
    for name in photos {
        ids.push(garage.upload(fixture(name)).await.text("/uploadPhoto/id"));
    }
    let listing = garage.run(PREPARE, json!({ "i": { "photoIds": ids, "vehicle": {} } })).await;
    app.run_jobs().await;
    garage.run(LISTING, json!({ "id": listing.text("/prepareListing/id") })).await.at("/listing").clone()
}

#[tokio::test]
async fn a_seller_in_doubt_sees_the_plate_the_doubtful_character_and_the_alternatives() {
    let app = TestApp::with(FakePlates::reading_in_turn(&[&[("YK482ZN", 0.6), ("YK482ZH", 0.3)]])).await;
    let (garage, stranger) = (app.garage("dupont").await, app.garage("martin").await);
    let id = read(&app, &garage).await;
    let answer = garage.run(READING, json!({ "id": id })).await;
    let reading = answer.at("/plateReading");
    assert_eq!((&reading["formatted"], &reading["needsConfirmation"]), (&json!("YK-482-ZN"), &json!(true)));
    assert_eq!((&reading["doubtfulCharacter"], &reading["readBy"]), (&json!(6), &json!("fake-plates test")));
    let candidates: Vec<&str> =
        reading["candidates"].as_array().unwrap().iter().map(|c| c["formatted"].as_str().unwrap()).collect();
    assert_eq!(candidates, ["YK-482-ZN", "YK-482-ZH"]);
    let crop = reading["crop"].as_str().unwrap().strip_prefix("data:image/jpeg;base64,").unwrap();
    let picture = image::load_from_memory(&STANDARD.decode(crop).unwrap()).unwrap();
    assert_eq!((picture.width(), picture.height()), (480, 180), "100 x 30 pixels with margins");
    assert_eq!(stranger.run(READING, json!({ "id": id })).await.code(), "NOT_FOUND");
    app.finish().await;
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

async fn count(app: &TestApp, sql: &str) -> i64 {
    let mut conn = app.app.conn().await.unwrap();
    diesel::sql_query(sql).get_result::<Count>(&mut conn).await.unwrap().n
}

#[tokio::test]
async fn a_correction_becomes_an_example_only_with_consent_and_for_a_time() {
    let app = TestApp::with(FakePlates::reading("YK482ZN", 0.6)).await;
    let garage = app.garage("dupont").await;
    relay::look(&app.app).await.unwrap();
    let id = read(&app, &garage).await;
    let examples = "SELECT count(*) AS n FROM plates_examples WHERE text = 'YK482ZH' AND read_text = 'YK482ZN'";
    garage.run(CORRECT, json!({ "r": id, "t": "YK-482-ZH", "k": false })).await;
    assert_eq!(count(&app, examples).await, 0);
    garage.run(CORRECT, json!({ "r": id, "t": "YK-482-ZH", "k": true })).await;
    assert_eq!(count(&app, examples).await, 1);
    garage.run(CORRECT, json!({ "r": id, "t": "YK-482-ZH", "k": false })).await;
    assert_eq!(count(&app, examples).await, 0, "the consent was taken back");
    garage.run(CORRECT, json!({ "r": id, "t": "YK-482-ZH", "k": true })).await;
    app.app.clock().advance(Duration::from_secs(364 * 24 * 3_600));
    relay::look(&app.app).await.unwrap();
    app.run_jobs().await;
    assert_eq!(count(&app, examples).await, 1);
    app.app.clock().advance(Duration::from_secs(3 * 24 * 3_600));
    relay::look(&app.app).await.unwrap();
    app.run_jobs().await;
    assert_eq!(count(&app, examples).await, 0);
    app.finish().await;
}

#[tokio::test]
async fn photos_of_one_car_vote() {
    let photos: [&[(&str, f32)]; 3] = [
        &[("FS938HA", 0.85), ("FS938HM", 0.1)],
        &[("FS938HA", 0.8), ("FS938HM", 0.15)],
        &[("FS938HA", 0.85), ("FS988HA", 0.1)],
    ];
    let app = TestApp::with(FakePlates::reading_in_turn(&photos)).await;
    let garage = app.garage("dupont").await;
    let listing = listing_of(&app, &garage, &["hatch-front.jpg", "hatch-rear.jpg", "suv-front.jpg"]).await;
    let used = json!({ "formatted": "FS-938-HA", "needsConfirmation": false });
    assert_eq!(listing["plate"], used, "none of them alone was sure enough");
    assert_eq!(listing["vehicle"]["plate"], "FS-938-HA");
    // In another listing with one of these photos alone nothing is certain.
    let alone = listing_of(&app, &garage, &["hatch-rear.jpg"]).await;
    assert_eq!(alone["plate"]["needsConfirmation"], json!(true));
    app.finish().await;
}

#[tokio::test]
async fn photos_that_agree_on_a_number_of_the_future_prove_nothing() {
    let app = TestApp::with(FakePlates::reading_in_turn(&[&[("YK482ZN", 0.85)], &[("YK482ZN", 0.85)]])).await;
    let garage = app.garage("dupont").await;
    let listing = listing_of(&app, &garage, &["hatch-front.jpg", "hatch-rear.jpg"]).await;
    assert_eq!(listing["plate"], json!({ "formatted": "YK-482-ZN", "needsConfirmation": true }));
    assert_eq!(listing["vehicle"]["plate"], Value::Null);
    app.finish().await;
}

#[tokio::test]
async fn photos_that_contradict_each_other_are_for_the_seller_to_settle() {
    let app = TestApp::with(FakePlates::reading_in_turn(&[&[("FR482ZN", 0.97)], &[("FS938HA", 0.9)]])).await;
    let garage = app.garage("dupont").await;
    let listing = listing_of(&app, &garage, &["hatch-front.jpg", "suv-front.jpg"]).await;
    assert_eq!(listing["plate"]["needsConfirmation"], json!(true));
    assert_eq!(listing["vehicle"]["plate"], Value::Null);
    app.finish().await;
}

#[tokio::test]
async fn a_plate_that_is_still_readable_after_hiding_is_hidden_too() {
    let app = TestApp::with(FakePlates::overlooking_one()).await;
    let garage = app.garage("dupont").await;
    let listing = listing_of(&app, &garage, &["hatch-front.jpg"]).await;
    let cleaning = json!({ "state": "DONE", "errorCode": null, "platesMasked": 2 });
    assert_eq!(listing["photos"][0]["cleaning"], cleaning);
    app.finish().await;
}

#[tokio::test]
async fn a_photo_whose_plate_cannot_be_hidden_is_not_shown() {
    let app = TestApp::with(FakePlates::seeing_through_covers()).await;
    let garage = app.garage("dupont").await;
    let listing = listing_of(&app, &garage, &["hatch-front.jpg"]).await;
    let cleaning = json!({ "state": "FAILED", "errorCode": "PLATES_NOT_HIDDEN", "platesMasked": null });
    assert_eq!(listing["photos"][0]["cleaning"], cleaning);
    app.finish().await;
}

/// A reading service that knows one key, and counts the photos it was sent.
async fn service(asked: Arc<AtomicUsize>) -> String {
    const READ: &str = r#"{"results":[{"box":{"xmin":500,"ymin":400,"xmax":700,"ymax":460},"plate":"fs938ha","score":0.97,
      "candidates":[{"score":0.97,"plate":"fs938ha"}],"dscore":0.9}]}"#;
    let answer = move |headers: HeaderMap| async move {
        asked.fetch_add(1, Ordering::Relaxed);
        let is_known = headers["authorization"] == "Token dupont-key";
        if is_known { (StatusCode::OK, READ) } else { (StatusCode::FORBIDDEN, r#"{"detail":"Invalid token."}"#) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/plate-reader/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/plate-reader/", post(answer))).await });
    url
}

#[tokio::test]
async fn photos_go_to_a_service_with_the_key_of_their_garage_only() {
    const SET: &str = "mutation($k: String!) { setPlateReaderAccess(key: $k) { service refusedAt } }";
    const ACCESS: &str = "{ plateReaderAccess { service refusedAt } }";
    let asked = Arc::new(AtomicUsize::new(0));
    let url = service(asked.clone()).await;
    let remote = PlatesRemote::new(&url, None, 1.01).unwrap();
    let doubting = Arc::new(FakePlates::reading("FS988HA", 0.5));
    let setup = Setup::default().set("KEROXIO_PLATES_READERS", "keroxio,remote").set("KEROXIO_REMOTE_PLATES_URL", &url);
    let app = setup.readers(PlateReaders::new(vec![doubting, Arc::new(remote)])).start().await;
    let (garage, other) = (app.garage("dupont").await, app.garage("martin").await);
    let sent = || asked.swap(0, Ordering::Relaxed);

    assert_eq!(garage.run(ACCESS, json!({})).await.at("/plateReaderAccess"), &Value::Null);
    read(&app, &garage).await;
    assert_eq!(sent(), 0, "nobody gave a key");

    assert_eq!(garage.run(SET, json!({ "k": "two words" })).await.code(), "BAD_INPUT");
    let set = garage.run(SET, json!({ "k": " dupont-key " })).await;
    assert_eq!(set.at("/setPlateReaderAccess"), &json!({ "service": "127.0.0.1", "refusedAt": null }));
    let kept = app.texts("SELECT sealed AS text FROM plates_access").await;
    assert!(kept.len() == 1 && !kept[0].contains("dupont"), "{kept:?}");
    let reading = read_on(&app, &garage, "hatch-rear.jpg").await;
    assert_eq!(sent(), 1);
    let sightings = "query($id: UUID!) { plateReading(id: $id) { sightings { score } readBy needsConfirmation } }";
    let seen = garage.run(sightings, json!({ "id": reading })).await;
    assert_eq!(
        seen.at("/plateReading/sightings").as_array().unwrap().len(),
        2,
        "what only the service saw is hidden too"
    );
    assert_eq!(seen.at("/plateReading/needsConfirmation"), true);
    read(&app, &other).await;
    assert_eq!(sent(), 0, "the neighbour gave none");

    other.run(SET, json!({ "k": "martin-key" })).await.at("/setPlateReaderAccess");
    read_on(&app, &other, "hatch-rear.jpg").await;
    read_on(&app, &other, "suv-front.jpg").await;
    assert_eq!(sent(), 1, "what was refused is not tried again");
    assert!(other.run(ACCESS, json!({})).await.at("/plateReaderAccess/refusedAt").is_string());
    assert_eq!(garage.run(ACCESS, json!({})).await.at("/plateReaderAccess/refusedAt"), &Value::Null);

    let remove = "mutation { removePlateReaderAccess }";
    assert_eq!(garage.run(remove, json!({})).await.at("/removePlateReaderAccess"), true);
    read_on(&app, &garage, "suv-front.jpg").await;
    assert_eq!(sent(), 0);
    app.finish().await;
}

#[tokio::test]
async fn where_there_is_only_a_service_a_reading_without_a_key_says_so() {
    let url = service(Arc::default()).await;
    let remote = Arc::new(PlatesRemote::new(&url, None, 0.9).unwrap());
    let setup = Setup::default().set("KEROXIO_PLATES_READERS", "remote").set("KEROXIO_REMOTE_PLATES_URL", &url);
    let app = setup.readers(PlateReaders::new(vec![remote])).start().await;
    let garage = app.garage("dupont").await;
    let id = read(&app, &garage).await;
    let state = "query($id: UUID!) { plateReading(id: $id) { state errorCode formatted needsConfirmation photoId } }";
    let failed = garage.run(state, json!({ "id": id })).await;
    assert_eq!(failed.at("/plateReading/errorCode"), "PLATE_READER_ACCESS_MISSING");
    let set = "mutation { setPlateReaderAccess(key: \"dupont-key\") { since } }";
    garage.run(set, json!({})).await.at("/setPlateReaderAccess");
    garage.run(READ, json!({ "p": failed.at("/plateReading/photoId") })).await.at("/readPlate");
    app.run_jobs().await;
    let done = garage.run(state, json!({ "id": id })).await;
    assert_eq!(
        (done.text("/plateReading/state"), done.text("/plateReading/formatted")),
        ("DONE".into(), "FS-938-HA".into())
    );
    app.finish().await;
    let app = TestApp::start().await;
    assert_eq!(app.garage("dupont").await.run(set, json!({})).await.code(), "PLATE_READER_NOT_CONFIGURED");
    app.finish().await;
}
