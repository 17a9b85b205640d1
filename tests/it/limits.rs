//! How much anybody may ask for, and from where.

use std::time::Duration;

use keroxio_test_support::{Setup, TestApp};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const LOG_IN: &str = "mutation($e: String!, $p: String!) { logIn(email: $e, password: $p) { accessToken } }";

#[tokio::test]
async fn every_answer_tells_what_it_cost_and_too_much_has_to_wait() {
    let small = [("KEROXIO_COST_CAPACITY", "100"), ("KEROXIO_COST_PER_SECOND", "10")];
    let app = small.into_iter().fold(Setup::default(), |setup, (name, value)| setup.set(name, value)).start().await;
    let (garage, other) = (app.garage("dupont").await, app.garage("martin").await);
    let list = "{ vehicles(first: 20) { nodes { make model } } }";
    let cost = garage.run(list, json!({})).await.0["extensions"]["cost"].clone();
    let requested = cost["requested"].as_u64().unwrap();
    assert!((40..=100).contains(&requested), "{cost}");
    assert_eq!((&cost["capacity"], &cost["perSecond"]), (&json!(100), &json!(10)));
    assert_eq!(cost["remaining"].as_u64().unwrap(), 100 - requested);
    let request = |token: String| {
        let body = json!({ "query": list });
        reqwest::Client::new().post(format!("{}/graphql", app.base)).bearer_auth(token).json(&body).send()
    };
    let refused = loop {
        let answer = request(garage.token.clone()).await.unwrap();
        if answer.status() != StatusCode::OK {
            break answer;
        }
    };
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    let body: Value = refused.json().await.unwrap();
    let error = &body["errors"][0];
    assert_eq!((&error["extensions"]["code"], body.get("data")), (&json!("RATE_LIMITED"), None));
    assert_eq!(error["extensions"]["details"]["retryAfterSeconds"], json!(wait));
    assert_eq!(request(other.token.clone()).await.unwrap().status(), StatusCode::OK, "others are not held back");
    app.app.clock().advance(Duration::from_secs(wait));
    assert_eq!(request(garage.token.clone()).await.unwrap().status(), StatusCode::OK, "it was told the truth");
    let limits = other.run("{ apiLimits { capacity perSecond remaining } }", json!({})).await;
    assert_eq!(limits.at("/apiLimits/capacity"), 100);
    assert!(limits.at("/apiLimits/remaining").as_i64().unwrap() < 100);
    app.finish().await;
}

#[tokio::test]
async fn passwords_are_not_tried_for_long_and_nobody_is_locked_out_by_another() {
    let app = Setup::default().set("KEROXIO_PROXY", "on").start().await;
    app.garage("dupont").await;
    let try_from = async |from: &str, password: &str| {
        let body = json!({ "query": LOG_IN, "variables": { "e": "Dupont@example.org ", "p": password } });
        let request = reqwest::Client::new().post(format!("{}/graphql", app.base)).json(&body);
        // What a client writes itself stands before what our proxy adds.
        let request = request.header("x-forwarded-for", format!("198.51.100.1, {from}"));
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["errors"][0]["extensions"].clone()
    };
    for _ in 0..10 {
        assert_eq!(try_from("192.0.2.1", "wrong wrong wrong").await["code"], "INVALID_CREDENTIALS");
    }
    let held = try_from("192.0.2.1", "correct horse battery").await;
    assert_eq!(held["code"], "TOO_MANY_ATTEMPTS", "even the right one");
    assert_eq!(try_from("192.0.2.2", "correct horse battery").await, Value::Null, "the owner comes from elsewhere");
    app.app.clock().advance(Duration::from_secs(held["details"]["retryAfterSeconds"].as_u64().unwrap()));
    assert_eq!(try_from("192.0.2.1", "correct horse battery").await, Value::Null);
    app.finish().await;
}

#[tokio::test]
async fn only_listed_origins_read_answers_and_nothing_is_framed() {
    let app = Setup::default().set("KEROXIO_CORS_ORIGINS", "https://app.example.org").start().await;
    let preflight = async |origin: &str| {
        let request = reqwest::Client::new().request(Method::OPTIONS, format!("{}/graphql", app.base));
        let request = request.header("origin", origin).header("access-control-request-method", "POST");
        let answer =
            request.header("access-control-request-headers", "authorization,content-type").send().await.unwrap();
        answer.headers().get("access-control-allow-origin").map(|origin| origin.to_str().unwrap().to_owned())
    };
    assert_eq!(preflight("https://app.example.org").await.as_deref(), Some("https://app.example.org"));
    assert_eq!(preflight("https://evil.example").await, None);
    let page = reqwest::get(&app.base).await.unwrap();
    let header = |name: &str| page.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        (header("x-content-type-options"), header("x-frame-options")),
        ("nosniff".to_owned(), "DENY".to_owned())
    );
    assert!(header("content-security-policy").contains("frame-ancestors 'none'"));
    app.finish().await;
    let none = TestApp::start().await;
    let request =
        reqwest::Client::new().post(format!("{}/graphql", none.base)).header("origin", "https://app.example.org");
    let answer = request.json(&json!({ "query": "{ __typename }" })).send().await.unwrap();
    assert!(answer.headers().get("access-control-allow-origin").is_none());
    none.finish().await;
}
