use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keroxio_test_support::{Setup, TestApp};
use serde_json::{Value, json};

const LOG_IN: &str =
    "mutation($e: String!, $p: String!) { logIn(email: $e, password: $p) { accessToken refreshToken } }";
const REFRESH: &str = "mutation($t: String!) { refreshSession(refreshToken: $t) { accessToken refreshToken } }";
const VIEWER: &str = "{ viewer { email } }";
const DEVICES: &str = "{ devices { id current agent address } }";

#[tokio::test]
async fn a_refresh_token_used_twice_ends_its_session() {
    let app = TestApp::start().await;
    app.garage("martin").await;
    let mut anybody = app.anonymous();
    let session = anybody.run(LOG_IN, json!({ "e": "martin@example.org", "p": "correct horse battery" })).await;
    let first = session.text("/logIn/refreshToken");
    let renewed = anybody.run(REFRESH, json!({ "t": first })).await;
    let second = renewed.text("/refreshSession/refreshToken");
    assert_eq!(anybody.run(REFRESH, json!({ "t": first })).await.code(), "INVALID_REFRESH_TOKEN");
    let last = anybody.run(REFRESH, json!({ "t": second })).await;
    assert_eq!(last.code(), "INVALID_REFRESH_TOKEN", "the thief's or the owner's");
    anybody.token = renewed.text("/refreshSession/accessToken");
    assert_eq!(anybody.run(VIEWER, json!({})).await.code(), "TOKEN_EXPIRED", "and what it opened");
    app.finish().await;
}

#[tokio::test]
async fn an_expired_access_token_says_so() {
    let app = TestApp::start().await;
    let garage = app.garage("petit").await;
    app.app.clock().advance(Duration::from_secs(16 * 60));
    assert_eq!(garage.run(VIEWER, json!({})).await.code(), "TOKEN_EXPIRED");
    app.finish().await;
}

#[tokio::test]
async fn a_device_is_seen_and_thrown_out() {
    let app = TestApp::start().await;
    app.garage("dupont").await;
    let (here, there, stranger) = (app.log_in("dupont").await, app.log_in("dupont").await, app.garage("martin").await);
    let devices = here.run(DEVICES, json!({})).await;
    let devices = devices.at("/devices").as_array().unwrap();
    assert_eq!(devices.len(), 3, "{devices:?}");
    assert_eq!(devices.iter().filter(|device| device["current"] == true).count(), 1);
    assert!(devices.iter().all(|device| device["address"] == "127.0.0.1"), "{devices:?}");
    let theirs = there.run(DEVICES, json!({})).await;
    let theirs = theirs.at("/devices").as_array().unwrap().iter().find(|device| device["current"] == true).unwrap();
    let revoke = "mutation($id: UUID!) { revokeDevice(id: $id) }";
    assert_eq!(stranger.run(revoke, json!({ "id": theirs["id"] })).await.code(), "NOT_FOUND");
    here.run(revoke, json!({ "id": theirs["id"] })).await.at("/revokeDevice");
    assert_eq!(there.run(VIEWER, json!({})).await.code(), "TOKEN_EXPIRED");
    assert_eq!(stranger.run(VIEWER, json!({})).await.text("/viewer/email"), "martin@example.org");
    let here = app.log_in("dupont").await;
    assert_eq!(here.run("mutation { revokeOtherDevices }", json!({})).await.at("/revokeOtherDevices"), 2);
    app.finish().await;
}

#[tokio::test]
async fn whoever_verifies_our_tokens_finds_the_keys() {
    let keys = "the new key of at least thirty-two characters, the old key of at least thirty-two characters";
    let app = Setup::default().set("KEROXIO_JWT_KEYS", keys).start().await;
    let garage = app.garage("dupont").await;
    let set: Value = garage.page("/.well-known/jwks.json").await.json().await.unwrap();
    let known: Vec<&Value> = set["keys"].as_array().unwrap().iter().collect();
    assert_eq!(known.len(), 2);
    assert!(known.iter().all(|key| key["alg"] == "EdDSA" && key["kty"] == "OKP" && key.get("d").is_none()), "{set}");
    let header = URL_SAFE_NO_PAD.decode(garage.token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!((&header["alg"], &header["kid"]), (&json!("EdDSA"), &known[0]["kid"]));
    app.finish().await;
}
