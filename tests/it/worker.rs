//! The journey through a real worker: relay, Redis Streams, live messages over WebSocket.

use std::time::Duration;

use diesel_async::RunQueryDsl as _;
use keroxio_core::ledger::{self, JobFilter, JobState};
use keroxio_core::worker::Concurrency;
use keroxio_test_support::{Actor, FakePlates, RunningWorker, Setup, TestApp, fixture};
use serde_json::{Value, json};

const PREPARE: &str = "mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id } }";
const PROGRESS: &str = "subscription($id: UUID!, $after: Int!) { listingProgress(listingId: $id, after: $after) {
  seq step photoId state percent listing { state } } }";

async fn prepare(garage: &Actor, photos: usize) -> String {
    let mut ids = Vec::new();
    for name in ["hatch-front.jpg", "hatch-rear.jpg", "suv-front.jpg"].into_iter().take(photos) {
        ids.push(garage.upload(fixture(name)).await.text("/uploadPhoto/id"));
    }
    let car = json!({ "make": "Renault", "model": "Clio", "firstRegistration": "2020-03", "mileageKm": 45000 });
    let listing = garage.run(PREPARE, json!({ "i": { "photoIds": ids, "vehicle": car } })).await;
    listing.text("/prepareListing/id")
}

/// Everything the subscription says until it completes.
async fn follow(garage: &Actor, id: &str, after: Value) -> Vec<Value> {
    let mut steps = garage.subscribe(PROGRESS, json!({ "id": id, "after": after })).await;
    let mut seen = Vec::new();
    while let Some(step) = steps.next().await {
        seen.push(step.at("/listingProgress").clone());
    }
    seen
}

/// A change without the listing, which is as it stood when the change was delivered.
fn changes(step: &Value) -> Value {
    let mut step = step.clone();
    step.as_object_mut().unwrap().remove("listing");
    step
}

#[tokio::test]
async fn a_subscriber_sees_every_step_in_order() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let worker = app.start_worker();
    let id = prepare(&garage, 3).await;
    let seen = follow(&garage, &id, json!(0)).await;
    worker.stop().await;

    let numbers: Vec<i64> = seen.iter().map(|s| s["seq"].as_i64().unwrap()).collect();
    let expected: Vec<i64> = (1..=i64::try_from(seen.len()).unwrap()).collect();
    assert_eq!(numbers, expected, "no step is missing, none comes twice or out of order");
    let percents: Vec<i64> = seen.iter().map(|s| s["percent"].as_i64().unwrap()).collect();
    assert!(percents.is_sorted(), "{percents:?}");
    assert_eq!(percents.last(), Some(&100));
    assert_eq!(seen.last().unwrap()["listing"]["state"], "READY");
    for kind in ["PLATE", "VEHICLE", "PHOTO", "PRICE", "TEXT", "PUBLICATION"] {
        let done = seen.iter().filter(|s| s["step"] == kind && s["state"] == "DONE").count();
        assert_eq!(done, if kind == "PHOTO" { 3 } else { 1 }, "{kind}");
    }
    for kind in ["PLATE", "PHOTO", "PRICE", "PUBLICATION"] {
        let first = seen.iter().position(|s| s["step"] == kind).unwrap();
        assert_eq!(seen[first]["state"], "RUNNING", "{kind} is announced before it ends");
    }

    // A client that comes back with the last number it saw gets the rest, and nothing twice.
    let half = seen.len() / 2;
    let rest = follow(&garage, &id, json!(half)).await;
    assert_eq!(rest.iter().map(changes).collect::<Vec<_>>(), seen[half..].iter().map(changes).collect::<Vec<_>>());
    // The lighter files of the photo, which no step of the listing waits for.
    app.run_jobs().await;
    app.finish().await;
}

/// The relay repeats what nobody has claimed for ten seconds of this clock.
async fn ends_all_the_same(app: TestApp, garage: &Actor, listing: &str) {
    let worker = app.start_worker();
    app.app.clock().advance(Duration::from_secs(11));
    let seen = follow(garage, listing, json!(0)).await;
    worker.stop().await;
    assert_eq!(seen.last().unwrap()["listing"]["state"], "READY");
    app.finish().await;
}

fn dead() -> JobFilter {
    JobFilter { state: Some(JobState::Dead), ..JobFilter::default() }
}

#[tokio::test]
async fn a_reason_that_the_database_refuses_holds_nothing_up() {
    let app = TestApp::with(FakePlates::failing("bad\0news")).await;
    let garage = app.garage("dupont").await;
    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let reading = garage.run("mutation($p: UUID!) { readPlate(photoId: $p) { id } }", json!({ "p": photo })).await;
    for _ in 0..3 {
        app.run_jobs().await;
        app.app.clock().advance(Duration::from_secs(60));
    }
    let query = "query($id: UUID!) { plateReading(id: $id) { state errorCode } }";
    let failed = garage.run(query, json!({ "id": reading.text("/readPlate/id") })).await;
    assert_eq!(failed.at("/plateReading"), &json!({ "state": "FAILED", "errorCode": "PLATE_READING_FAILED" }));
    let mut conn = app.app.conn().await.unwrap();
    let dead = ledger::list(&mut conn, &dead(), None, 10).await.unwrap();
    let told: Vec<_> = dead.iter().map(|job| (job.attempt, job.last_error().unwrap())).collect();
    assert_eq!(told, [(3, "inference failed: badnews")]);
    assert_eq!(dead[0].history.as_array().unwrap().len(), 3, "every failed attempt is kept");
    assert_eq!(ledger::purge(&mut conn, JobState::Dead, app.app.now() + chrono::Duration::days(1)).await.unwrap(), 1);
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn a_job_nobody_knows_is_parked_with_its_reason_and_can_be_tried_again() {
    let app = TestApp::start().await;
    let id = uuid::Uuid::now_v7();
    let mut conn = app.app.conn().await.unwrap();
    // As a newer version would have written it.
    let row = "INSERT INTO core_jobs (id, name, queue, priority, args, max_attempts, run_at, created_at) \
        VALUES ($1, 'future.job', 'default', 1, '{\"x\": 1}', 3, now(), now())";
    diesel::sql_query(row).bind::<diesel::sql_types::Uuid, _>(id).execute(&mut conn).await.unwrap();
    assert_eq!(app.run_jobs().await, 1);
    let dead = ledger::list(&mut conn, &dead(), None, 10).await.unwrap();
    assert_eq!(dead.iter().map(|job| (job.id, job.attempt)).collect::<Vec<_>>(), [(id, 1)]);
    assert_eq!(dead[0].last_error(), Some("this executable knows no job of that name"));

    assert_eq!(ledger::retry(&mut conn, &[uuid::Uuid::now_v7()], app.app.now()).await.unwrap(), 0);
    assert_eq!(ledger::retry(&mut conn, &[id], app.app.now()).await.unwrap(), 1);
    let queued = ledger::show(&mut conn, id).await.unwrap().unwrap();
    assert_eq!((queued.state, queued.attempt), (JobState::Scheduled, 0));
    assert_eq!(app.run_jobs().await, 1);
    let day = chrono::Duration::days(1);
    assert_eq!(ledger::purge(&mut conn, JobState::Dead, app.app.now() - day).await.unwrap(), 0);
    assert_eq!(ledger::purge(&mut conn, JobState::Dead, app.app.now() + day).await.unwrap(), 1);
    assert!(ledger::show(&mut conn, id).await.unwrap().is_none());
    app.finish().await;
}

#[tokio::test]
async fn a_subscriber_at_another_process_sees_every_step_too() {
    let app = TestApp::start().await;
    let (_, other) = Setup::default().beside(&app).await;
    let garage = app.garage("dupont").await;
    let worker = app.start_worker();
    let id = prepare(&garage, 1).await;
    let there = follow(&garage.at(&other), &id, json!(0)).await;
    let here = follow(&garage, &id, json!(0)).await;
    worker.stop().await;
    assert_eq!(there.last().unwrap()["listing"]["state"], "READY");
    assert_eq!(there.iter().map(changes).collect::<Vec<_>>(), here.iter().map(changes).collect::<Vec<_>>());
    app.finish().await;
}

#[tokio::test]
async fn a_worker_whose_clock_is_behind_begins_new_jobs_all_the_same() {
    let files = tempfile::tempdir().unwrap();
    let setup = || Setup::default().set("KEROXIO_STORAGE_DIR", files.path().to_str().unwrap());
    let app = setup().start().await;
    let (other, _) = setup().beside(&app).await;
    let garage = app.garage("dupont").await;
    app.app.clock().advance(Duration::from_secs(600));
    let worker = RunningWorker::of(other, Concurrency { default: 4, inference: 1, outbound: 1 });
    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let read = "mutation($p: UUID!) { readPlate(photoId: $p) { jobId } }";
    let job = garage.run(read, json!({ "p": photo })).await.text("/readPlate/jobId");
    let updates = "subscription($id: UUID!) { jobUpdated(id: $id) { state } }";
    let mut updates = garage.subscribe(updates, json!({ "id": job })).await;
    let mut last = None;
    while let Some(update) = updates.next().await {
        last = Some(update.text("/jobUpdated/state"));
    }
    worker.stop().await;
    assert_eq!(last.as_deref(), Some("DONE"));
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn jobs_survive_a_redis_that_forgets_everything() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let id = prepare(&garage, 1).await;
    // The entries that the commit wrote are gone, as after a restart without persistence.
    app.forget_tickets().await;
    ends_all_the_same(app, &garage, &id).await;
}
