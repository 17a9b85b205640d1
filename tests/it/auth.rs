use std::time::Duration;

use keroxio_test_support::TestApp;
use serde_json::json;

const LOG_IN: &str =
    "mutation($e: String!, $p: String!) { logIn(email: $e, password: $p) { accessToken refreshToken } }";
const REFRESH: &str = "mutation($t: String!) { refreshSession(refreshToken: $t) { accessToken refreshToken } }";
const VIEWER: &str = "{ viewer { email organization { name kind } } }";

#[tokio::test]
async fn an_account_is_opened_once_and_answers_alike_to_wrong_passwords_and_strangers() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let viewer = garage.run(VIEWER, json!({})).await;
    assert_eq!(
        viewer.at("/viewer"),
        &json!({ "email": "dupont@example.org", "organization": { "name": "dupont", "kind": "DEALER" } })
    );
    let again = json!({ "i": { "email": " Dupont@Example.org", "password": "another long one", "organizationName": "x", "organizationKind": "DEALER" } });
    let anybody = app.anonymous();
    let taken = anybody.run("mutation($i: RegisterInput!) { register(input: $i) { accessToken } }", again).await;
    assert_eq!(taken.code(), "EMAIL_TAKEN");
    let wrong = anybody.run(LOG_IN, json!({ "e": "dupont@example.org", "p": "wrong password" })).await;
    let unknown = anybody.run(LOG_IN, json!({ "e": "nobody@example.org", "p": "wrong password" })).await;
    assert_eq!((wrong.code(), unknown.code()), ("INVALID_CREDENTIALS", "INVALID_CREDENTIALS"));
    let right = anybody.run(LOG_IN, json!({ "e": "DUPONT@example.org", "p": "correct horse battery" })).await;
    assert!(!right.text("/logIn/accessToken").is_empty());
    app.finish().await;
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_its_family() {
    let app = TestApp::start().await;
    app.garage("martin").await;
    let anybody = app.anonymous();
    let session = anybody.run(LOG_IN, json!({ "e": "martin@example.org", "p": "correct horse battery" })).await;
    let first = session.text("/logIn/refreshToken");
    let second = anybody.run(REFRESH, json!({ "t": first })).await.text("/refreshSession/refreshToken");
    assert_eq!(anybody.run(REFRESH, json!({ "t": first })).await.code(), "INVALID_REFRESH_TOKEN");
    assert_eq!(
        anybody.run(REFRESH, json!({ "t": second })).await.code(),
        "INVALID_REFRESH_TOKEN",
        "the thief's or the owner's"
    );
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
