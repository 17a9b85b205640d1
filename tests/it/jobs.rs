//! Jobs as the GraphQL API shows them.

use std::sync::Arc;
use std::time::Duration;

use keroxio_core::ledger::{self, JobFilter};
use keroxio_test_support::{Actor, FakePlates, Setup, TestApp, fixture};
use serde_json::{Value, json};

const READ: &str = "mutation($p: UUID!) { readPlate(photoId: $p) { id jobId } }";
const CANCEL: &str = "mutation($id: UUID!) { cancelJob(id: $id) { state } }";
const UPDATES: &str = "subscription($id: UUID!, $after: Int!) { jobUpdated(id: $id, after: $after) { eventId state } }";

async fn read(garage: &Actor) -> (String, String) {
    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let reading = garage.run(READ, json!({ "p": photo })).await;
    (reading.text("/readPlate/id"), reading.text("/readPlate/jobId"))
}

#[tokio::test]
async fn a_seller_calls_off_a_reading_under_way() {
    let (plates, mut reading_begun) = FakePlates::waiting_for_ever();
    let app = TestApp::with(plates).await;
    let (garage, other) = (app.garage("dupont").await, app.garage("martin").await);
    let (reading, job) = read(&garage).await;
    let mut updates = garage.subscribe(UPDATES, json!({ "id": job, "after": 0 })).await;
    assert_eq!(updates.next().await.unwrap().at("/jobUpdated/state"), "WAITING");
    let worker = app.start_worker();
    reading_begun.recv().await.unwrap();
    let running = updates.next().await.unwrap();
    assert_eq!(running.at("/jobUpdated/state"), "RUNNING");

    assert_eq!(other.run(CANCEL, json!({ "id": job })).await.code(), "NOT_FOUND");
    assert_eq!(
        other.run("query($id: UUID!) { job(id: $id) { state } }", json!({ "id": job })).await.code(),
        "NOT_FOUND"
    );
    assert_eq!(garage.run(CANCEL, json!({ "id": job })).await.at("/cancelJob/state"), "RUNNING");
    assert_eq!(updates.next().await.unwrap().at("/jobUpdated/state"), "CANCELLED");
    assert!(updates.next().await.is_none(), "nothing follows the end");
    worker.stop().await;

    let query = "query($id: UUID!) { plateReading(id: $id) { state errorCode } }";
    let told = garage.run(query, json!({ "id": reading })).await;
    assert_eq!(told.at("/plateReading"), &json!({ "state": "FAILED", "errorCode": "PLATE_READING_CANCELLED" }));

    // A client that comes back is told the end once, and nothing it has already seen.
    let seen = running.at("/jobUpdated/eventId");
    let mut again = garage.subscribe(UPDATES, json!({ "id": job, "after": seen })).await;
    let end = again.next().await.unwrap();
    assert_eq!(end.at("/jobUpdated/state"), "CANCELLED");
    assert!(again.next().await.is_none());
    let mut late = garage.subscribe(UPDATES, json!({ "id": job, "after": end.at("/jobUpdated/eventId") })).await;
    assert!(late.next().await.is_none());
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn a_reading_that_waits_is_called_off_before_it_begins() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let (reading, job) = read(&garage).await;
    assert_eq!(garage.run(CANCEL, json!({ "id": job })).await.at("/cancelJob/state"), "WAITING");
    app.run_jobs().await;
    let query =
        "query($id: UUID!, $j: UUID!) { plateReading(id: $id) { text errorCode } job(id: $j) { state attempt } }";
    let told = garage.run(query, json!({ "id": reading, "j": job })).await;
    assert_eq!(told.at("/plateReading"), &json!({ "text": null, "errorCode": "PLATE_READING_CANCELLED" }));
    assert_eq!(told.at("/job/state"), "CANCELLED");
    // Ended is ended.
    assert_eq!(garage.run(CANCEL, json!({ "id": job })).await.at("/cancelJob/state"), "CANCELLED");
    app.finish().await;
}

#[tokio::test]
async fn what_keeps_a_listing_consistent_cannot_be_called_off() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let prepare = "mutation($i: PrepareListingInput!) { prepareListing(input: $i) { id } }";
    garage.run(prepare, json!({ "i": { "photoIds": [photo], "vehicle": {} } })).await.text("/prepareListing/id");
    let filter = JobFilter { name: Some("listing.advance".to_owned()), ..JobFilter::default() };
    let jobs = ledger::list(&mut app.app.conn().await.unwrap(), &filter, None, 10).await.unwrap();
    let refused = garage.run(CANCEL, json!({ "id": jobs[0].id })).await;
    assert_eq!(refused.code(), "JOB_NOT_CANCELLABLE");
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn a_full_queue_says_when_to_come_back() {
    let app = Setup::default().set("KEROXIO_QUEUE_LIMIT", "2").start().await;
    let garage = app.garage("dupont").await;
    let mut photos = Vec::new();
    for name in ["hatch-front.jpg", "hatch-rear.jpg", "suv-front.jpg"] {
        photos.push(garage.upload(fixture(name)).await.text("/uploadPhoto/id"));
    }
    for photo in &photos[..2] {
        garage.run(READ, json!({ "p": photo })).await.text("/readPlate/id");
    }
    let refused = garage.run(READ, json!({ "p": photos[2] })).await;
    assert_eq!(refused.code(), "QUEUE_FULL");
    let seconds = refused.0.pointer("/errors/0/extensions/details/retryAfterSeconds").and_then(Value::as_i64).unwrap();
    assert!((1..=900).contains(&seconds), "{seconds}");
    app.run_jobs().await;
    // The turns of jobs that were done without Redis are still there.
    app.forget_tickets().await;
    garage.run(READ, json!({ "p": photos[2] })).await.text("/readPlate/id");
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn no_organization_can_fill_a_queue_alone() {
    let app = Setup::default().set("KEROXIO_ORG_QUEUE_LIMIT", "2").start().await;
    let (greedy, other) = (app.garage("dupont").await, app.garage("martin").await);
    for name in ["hatch-front.jpg", "hatch-rear.jpg"] {
        let photo = greedy.upload(fixture(name)).await.text("/uploadPhoto/id");
        greedy.run(READ, json!({ "p": photo })).await.text("/readPlate/id");
    }
    let third = greedy.upload(fixture("suv-front.jpg")).await.text("/uploadPhoto/id");
    assert_eq!(greedy.run(READ, json!({ "p": third })).await.code(), "QUEUE_FULL");
    read(&other).await;
    app.run_jobs().await;
    app.finish().await;
}

const DEAD: &str =
    "{ jobs(filter: { state: DEAD }) { nodes { id kind state attempt failures { attempt error } arguments } } }";

#[tokio::test]
async fn staff_look_at_dead_jobs_try_them_again_and_throw_them_away() {
    let app = Setup::default().plates(Arc::new(FakePlates::failing("no memory left"))).start().await;
    let garage = app.garage("dupont").await;
    let (_, job) = read(&garage).await;
    for _ in 0..3 {
        app.run_jobs().await;
        app.app.clock().advance(Duration::from_secs(60));
    }
    assert_eq!(garage.run(DEAD, json!({})).await.code(), "FORBIDDEN");
    let own = garage.run("query($id: UUID!) { job(id: $id) { state eventId } }", json!({ "id": job })).await;
    assert_eq!(own.at("/job/state"), "DEAD");
    let died = own.at("/job/eventId").clone();
    let reasons = garage.run("query($id: UUID!) { job(id: $id) { failures { error } } }", json!({ "id": job })).await;
    assert_eq!(reasons.code(), "FORBIDDEN", "the words of the log are not for users");

    let staff = app.staff("ops").await;
    let dead = staff.run(DEAD, json!({})).await;
    let node = dead.at("/jobs/nodes/0");
    assert_eq!((&node["id"], &node["kind"], &node["attempt"]), (&json!(job), &json!("plates.read"), &json!(3)));
    assert_eq!(node["failures"].as_array().unwrap().len(), 3);
    assert_eq!(node["failures"][2], json!({ "attempt": 3, "error": "inference failed: no memory left" }));

    let retry = "mutation($ids: [UUID!]!) { retryJobs(ids: $ids) }";
    assert_eq!(garage.run(retry, json!({ "ids": [job] })).await.code(), "FORBIDDEN");
    assert_eq!(staff.run(retry, json!({ "ids": [job] })).await.at("/retryJobs"), 1);
    assert_eq!(app.run_jobs().await, 1, "the reading has failed for good, so there is nothing left to do");
    // Who saw the job die and comes back now learns how it ended after all.
    let mut back = garage.subscribe(UPDATES, json!({ "id": job, "after": died })).await;
    assert_eq!(back.next().await.unwrap().at("/jobUpdated/state"), "DONE");
    assert_eq!(staff.run("mutation { purgeJobs(state: RUNNING, days: 0) }", json!({})).await.code(), "BAD_INPUT");
    app.app.clock().advance(Duration::from_secs(1));
    assert_eq!(staff.run("mutation { purgeJobs(state: DONE, days: 0) }", json!({})).await.at("/purgeJobs"), 1);
    app.finish().await;
}
