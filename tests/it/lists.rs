//! A list asks the database as often for a hundred rows as for one.

use std::cell::Cell;
use std::sync::Once;

use diesel::connection::{Instrumentation, InstrumentationEvent};
use image::imageops::FilterType;
use keroxio_test_support::{Actor, TestApp, fixture};
use serde_json::json;

thread_local! {
    static QUERIES: Cell<usize> = const { Cell::new(0) };
}

/// Counts per thread: a test, its server and its connections share one.
struct Counter;

impl Instrumentation for Counter {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if matches!(event, InstrumentationEvent::StartQuery { .. }) {
            QUERIES.set(QUERIES.get() + 1);
        }
    }
}

fn count() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| diesel::connection::set_default_instrumentation(|| Some(Box::new(Counter))).unwrap());
}

const LISTINGS: &str = "{ listings(first: 4) { nodes { title state steps { kind state } plate { text } estimate { id }
  vehicle { make facts { field value } disputes { field } moves { to } certificate { state } histovec { holders } }
  photos { original { width } cleaning { cleaned { url } masked { url } } } } } }";
const VEHICLES: &str =
    "{ vehicles(first: 20) { nodes { make facts { field value } disputes { field } moves { to } } } }";

const LEADS: &str = "{ leads(first: 4) { nodes { contact { name consents { purpose } } stage { key } listing { title } vehicle { make }
  score { total } interactions { body } moves { to } tasks { title } mails { receivedAt } weightedValue { amount } } } }";

/// A picture of a size that no other has.
fn photo(width: u32) -> Vec<u8> {
    let photo =
        image::load_from_memory(&fixture("hatch-front.jpg")).unwrap().resize_exact(width, 300, FilterType::Nearest);
    let mut file = std::io::Cursor::new(Vec::new());
    photo.write_to(&mut file, image::ImageFormat::Jpeg).unwrap();
    file.into_inner()
}

async fn prepared(app: &TestApp, garage: &Actor, number: u32) {
    let mut ids = Vec::new();
    for width in [400 + 2 * number, 401 + 2 * number] {
        ids.push(garage.upload(photo(width)).await.text("/uploadPhoto/id"));
    }
    let vehicle = json!({ "make": "Renault", "model": "Clio", "firstRegistration": "2018-03", "mileageKm": 45_000 });
    let prepare = "mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id } }";
    garage.run(prepare, json!({ "i": { "photoIds": ids, "vehicle": vehicle } })).await.at("/prepareListing");
    app.run_jobs().await;
}

async fn asked(garage: &Actor, number: u32) {
    let lead = "mutation($i: CreateLeadInput!) { createLead(input: $i) { lead { id } } }";
    let listing = garage.run("{ listings(first: 1) { nodes { id } } }", json!({})).await.text("/listings/nodes/0/id");
    let input = json!({ "email": format!("p{number}@example.net"), "listingId": listing, "message": "Bonjour",
        "consents": [{ "purpose": "OFFERS", "version": "1" }] });
    let id = garage.run(lead, json!({ "i": input })).await.text("/createLead/lead/id");
    let go = "mutation($l: UUID!) { moveLead(id: $l, to: \"CONTACTED\") { id } }";
    garage.run(go, json!({ "l": id })).await.at("/moveLead");
    let task = "mutation($l: UUID!) { createLeadTask(leadId: $l, input: { title: \"x\", dueAt: \"2036-01-01T00:00:00Z\" }) { id } }";
    garage.run(task, json!({ "l": id })).await.at("/createLeadTask");
}

async fn queries(garage: &Actor, list: &str, field: &str) -> (usize, usize) {
    let before = QUERIES.get();
    let rows = garage.run(list, json!({})).await.at(&format!("/{field}/nodes")).as_array().unwrap().len();
    (rows, QUERIES.get() - before)
}

#[tokio::test]
async fn more_rows_need_no_more_queries() {
    count();
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    prepared(&app, &garage, 0).await;
    asked(&garage, 0).await;
    // Connections are made, and their statements prepared.
    queries(&garage, LISTINGS, "listings").await;
    let all = async |garage: &Actor| {
        [
            queries(garage, LISTINGS, "listings").await,
            queries(garage, VEHICLES, "vehicles").await,
            queries(garage, LEADS, "leads").await,
        ]
    };
    let few = all(&garage).await;
    for number in 1..4 {
        prepared(&app, &garage, number).await;
        asked(&garage, number).await;
    }
    app.run_jobs().await;
    let more = all(&garage).await;
    assert_eq!(few.map(|(rows, _)| rows), [1, 1, 1]);
    assert_eq!(more.map(|(rows, _)| rows), [4, 4, 4]);
    assert!(few.iter().all(|(_, queries)| *queries > 2), "they are counted: {few:?}");
    for ((_, few), (_, more)) in few.into_iter().zip(more) {
        assert!(more <= few, "{few} queries for one row, {more} for four");
    }
    app.finish().await;
}
