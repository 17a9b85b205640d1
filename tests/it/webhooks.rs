//! What integrators' programs are told, how often, and where to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use keroxio_test_support::{Actor, Setup, TestApp};
use serde_json::{Value, json};
use sha2::Sha256;

const CREATE: &str = "mutation($u: String!, $e: [WebhookEvent!]!, $s: String) {
    createWebhook(input: { url: $u, events: $e, selection: $s }) { secret webhook { id } } }";
const CAR: &str = "mutation { createVehicle(input: { make: \"Renault\", model: \"Clio\" }) { id } }";
const LOG: &str = "query($w: UUID!) { webhookDeliveries(webhookId: $w, first: 50) { nodes { eventId event state attempts status error } } }";

/// A program of an integrator's, which answers as it is told to.
#[derive(Clone, Default)]
struct Receiver {
    answers: Arc<Mutex<Vec<StatusCode>>>,
    heard: Arc<Mutex<Vec<(HeaderMap, String)>>>,
}

impl Receiver {
    async fn start(answers: &[StatusCode]) -> (Self, String) {
        let receiver = Self { answers: Arc::new(Mutex::new(answers.to_vec())), ..Self::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(hear)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (receiver, url)
    }

    fn heard(&self) -> Vec<(HeaderMap, String)> {
        self.heard.lock().unwrap().clone()
    }
}

async fn hear(State(receiver): State<Receiver>, headers: HeaderMap, body: String) -> StatusCode {
    receiver.heard.lock().unwrap().push((headers, body));
    let mut answers = receiver.answers.lock().unwrap();
    if answers.is_empty() { StatusCode::OK } else { answers.remove(0) }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers[name].to_str().unwrap()
}

/// By the specification of Standard Webhooks.
fn is_signed(secret: &str, headers: &HeaderMap, body: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{}.{}.{body}", text(headers, "webhook-id"), text(headers, "webhook-timestamp")).as_bytes());
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    text(headers, "webhook-signature").split(' ').any(|given| given == expected)
}

async fn inside() -> TestApp {
    Setup::default().set("KEROXIO_WEBHOOKS_PRIVATE", "on").start().await
}

async fn webhook(owner: &Actor, url: &str, events: &[&str], selection: Option<&str>) -> (Value, String) {
    let answer = owner.run(CREATE, json!({ "u": url, "e": events, "s": selection })).await;
    (answer.at("/createWebhook/webhook/id").clone(), answer.text("/createWebhook/secret"))
}

async fn log(owner: &Actor, webhook: &Value) -> Vec<Value> {
    let log = owner.run(LOG, json!({ "w": webhook })).await;
    log.at("/webhookDeliveries/nodes").as_array().unwrap().clone()
}

/// Lets the time of the next attempt come.
async fn later(app: &TestApp, seconds: u64) {
    app.app.clock().advance(Duration::from_secs(seconds));
    keroxio_core::relay::look(&app.app).await.unwrap();
    app.run_jobs().await;
}

#[tokio::test]
async fn nobody_whose_address_is_not_confirmed_has_us_call_others() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let create = "mutation { createWebhook(input: { url: \"https://example.org/hook\", events: [LISTING_PREPARED] }) { webhook { id } } }";
    assert_eq!(garage.run(create, json!({})).await.code(), "EMAIL_NOT_VERIFIED");
    app.finish().await;
}

#[tokio::test]
async fn what_happened_is_told_signed_with_what_was_asked_for() {
    let app = inside().await;
    let (garage, other) = (app.verified_garage("dupont").await, app.garage("martin").await);
    let (receiver, url) = Receiver::start(&[]).await;
    let selection = "query Car($id: UUID!) { vehicle(id: $id) { make model } }";
    let (id, secret) = webhook(&garage, &url, &["VEHICLE_CHANGED"], Some(selection)).await;
    let car = garage.run(CAR, json!({})).await.text("/createVehicle/id");
    let update = "mutation($id: UUID!) { updateVehicle(id: $id, input: { mileageKm: 45000 }) { id } }";
    garage.run(update, json!({ "id": car })).await.at("/updateVehicle/id");
    other.run(CAR, json!({})).await.at("/createVehicle/id");
    app.run_jobs().await;
    let heard = receiver.heard();
    assert!(!heard.is_empty(), "nothing was told");
    for (headers, body) in &heard {
        assert!(is_signed(&secret, headers, body));
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["type"], "vehicle.changed");
        assert_eq!(body["data"], json!({ "vehicle": { "make": "Renault", "model": "Clio" } }));
    }
    let log = log(&garage, &id).await;
    assert_eq!(log.len(), heard.len(), "and nothing of the other garage");
    assert!(log.iter().all(|delivery| delivery["state"] == "DELIVERED" && delivery["status"] == 200), "{log:?}");
    let theirs = other.run(LOG, json!({ "w": id })).await;
    assert_eq!(theirs.at("/webhookDeliveries/nodes"), &json!([]));
    app.finish().await;
}

#[tokio::test]
async fn a_receiver_in_trouble_is_tried_again_with_the_same_event_and_one_that_refuses_is_not() {
    let app = inside().await;
    let garage = app.verified_garage("dupont").await;
    let troubles =
        [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::TOO_MANY_REQUESTS, StatusCode::OK, StatusCode::BAD_REQUEST];
    let (receiver, url) = Receiver::start(&troubles).await;
    let (id, _) = webhook(&garage, &url, &["VEHICLE_CHANGED"], None).await;
    let test = "mutation($w: UUID!) { sendTestEvent(webhookId: $w) }";
    let event = garage.run(test, json!({ "w": id })).await.text("/sendTestEvent");
    app.run_jobs().await;
    assert_eq!(receiver.heard().len(), 1);
    let first = log(&garage, &id).await.remove(0);
    assert_eq!((&first["state"], &first["status"], &first["attempts"]), (&json!("PENDING"), &json!(500), &json!(1)));
    later(&app, 6).await;
    later(&app, 301).await;
    let heard = receiver.heard();
    assert_eq!(heard.len(), 3);
    assert!(heard.iter().all(|(headers, _)| text(headers, "webhook-id") == event));
    assert_eq!(log(&garage, &id).await[0]["state"], "DELIVERED");
    garage.run(test, json!({ "w": id })).await.at("/sendTestEvent");
    app.run_jobs().await;
    let refused = log(&garage, &id).await.remove(0);
    assert_eq!((&refused["state"], &refused["status"]), (&json!("FAILED"), &json!(400)));
    let again = "mutation($w: UUID!, $e: UUID!) { replayWebhookEvents(webhookId: $w, eventId: $e) }";
    assert_eq!(garage.run(again, json!({ "w": id, "e": event })).await.at("/replayWebhookEvents"), 1);
    app.run_jobs().await;
    let (headers, _) = receiver.heard().pop().unwrap();
    assert_eq!(text(&headers, "webhook-id"), event, "the same event");
    assert_ne!(text(&headers, "webhook-delivery"), text(&heard[2].0, "webhook-delivery"), "another delivery");
    app.finish().await;
}

#[tokio::test]
async fn a_webhook_that_nobody_answers_stops_and_catches_up_once_it_is_started() {
    let app = inside().await;
    let garage = app.verified_garage("dupont").await;
    let (receiver, url) = Receiver::start(&[StatusCode::GONE]).await;
    let (id, _) = webhook(&garage, &url, &["VEHICLE_CHANGED"], None).await;
    let started = app.app.now();
    let car = garage.run(CAR, json!({})).await.text("/createVehicle/id");
    let update = "mutation($id: UUID!, $km: Int!) { updateVehicle(id: $id, input: { mileageKm: $km }) { id } }";
    garage.run(update, json!({ "id": car, "km": 1000 })).await.at("/updateVehicle/id");
    app.run_jobs().await;
    let stopped = garage.run("{ webhooks { stoppedAt } notifications(first: 5) { nodes { kind } } }", json!({})).await;
    assert!(stopped.at("/webhooks/0/stoppedAt").is_string());
    assert_eq!(stopped.at("/notifications/nodes/0/kind"), "webhook_stopped");
    assert!(app.letters_to("dupont@example.org").await.contains(&"webhook_stopped".to_owned()));
    garage.run(update, json!({ "id": car, "km": 2000 })).await.at("/updateVehicle/id");
    app.run_jobs().await;
    let before = receiver.heard().len();
    assert_eq!(before, 1, "nothing is sent to it any more");
    let replay = "mutation($w: UUID!, $f: DateTime!) { replayWebhookEvents(webhookId: $w, from: $f) }";
    assert_eq!(garage.run(replay, json!({ "w": id, "f": started })).await.code(), "WEBHOOK_STOPPED");
    garage.run("mutation($w: UUID!) { startWebhook(id: $w) { id } }", json!({ "w": id })).await.at("/startWebhook/id");
    let sent = garage.run(replay, json!({ "w": id, "f": started })).await.at("/replayWebhookEvents").as_u64().unwrap();
    assert!(sent >= 2, "{sent}");
    app.run_jobs().await;
    assert_eq!(receiver.heard().len() as u64, 1 + sent);
    app.finish().await;
}

#[tokio::test]
async fn a_changed_secret_signs_beside_the_old_one_for_a_day() {
    let app = inside().await;
    app.verified_garage("dupont").await;
    let (receiver, url) = Receiver::start(&[]).await;
    let garage = app.log_in("dupont").await;
    let (id, old) = webhook(&garage, &url, &["VEHICLE_CHANGED"], None).await;
    let rotate = "mutation($w: UUID!) { rotateWebhookSecret(id: $w) { secret } }";
    let new = garage.run(rotate, json!({ "w": id })).await.text("/rotateWebhookSecret/secret");
    let test = "mutation($w: UUID!) { sendTestEvent(webhookId: $w) }";
    garage.run(test, json!({ "w": id })).await.at("/sendTestEvent");
    app.run_jobs().await;
    later(&app, 25 * 3_600).await;
    let garage = app.log_in("dupont").await;
    garage.run(test, json!({ "w": id })).await.at("/sendTestEvent");
    app.run_jobs().await;
    let heard = receiver.heard();
    let signed = |(headers, body): &(HeaderMap, String)| [&old, &new].map(|secret| is_signed(secret, headers, body));
    assert_eq!(heard.iter().map(signed).collect::<Vec<_>>(), [[true, true], [false, true]]);
    app.finish().await;
}

#[tokio::test]
async fn a_webhook_goes_nowhere_inside_and_asks_nothing_it_may_not() {
    let app = TestApp::start().await;
    let garage = app.verified_garage("dupont").await;
    let (receiver, inside) = Receiver::start(&[]).await;
    for url in [
        inside.as_str(),
        "https://127.0.0.1/",
        "https://169.254.169.254/latest",
        "https://localhost/",
        "gopher://x.example/",
    ] {
        let answer = garage.run(CREATE, json!({ "u": url, "e": ["PLATES_READ"] })).await;
        assert_eq!(answer.code(), "DESTINATION_REFUSED", "{url}");
    }
    let good = "https://hooks.example.org/x";
    for selection in [
        "mutation($id: UUID!) { moveVehicle(id: $id, to: READY) { id } }",
        "{ viewer { id } }",
        "query($id: UUID!, $x: Int) { vehicle(id: $id) { make } }",
        "query($id: UUID!) { vehicle(id: $id) { nothing } }",
        "query($id: UUID!) { vehicle(id: $id) { make ",
    ] {
        let answer = garage.run(CREATE, json!({ "u": good, "e": ["PLATES_READ"], "s": selection })).await;
        assert_eq!(answer.code(), "SELECTION_INVALID", "{selection}");
    }
    // A name that leads inside is found out when it is called.
    let (id, _) = webhook(&garage, good, &["PLATES_READ"], None).await;
    app.execute("UPDATE webhook_endpoints SET url = replace('https://x.example/', 'x.example', 'localtest.localhost')")
        .await;
    garage.run("mutation($w: UUID!) { sendTestEvent(webhookId: $w) }", json!({ "w": id })).await.at("/sendTestEvent");
    app.run_jobs().await;
    assert_eq!(log(&garage, &id).await[0]["status"], Value::Null);
    assert_eq!(receiver.heard().len(), 0);
    app.execute("DELETE FROM webhook_endpoints").await;
    later(&app, 10).await;
    app.finish().await;
}
