//! What programs count on: repeated requests, documents by their hash, and who may ask what the schema is.

use std::time::Duration;

use fred::prelude::SortedSetsInterface as _;
use keroxio_test_support::{Actor, Setup, TestApp, fixture};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const CREATE: &str = "mutation($m: String!) { createVehicle(input: { make: $m }) { id } }";
const COUNT: &str = "{ vehicles(first: 100) { nodes { make } } }";
const VIEWER: &str = "{ viewer { email } }";

fn post(app: &TestApp, actor: &Actor, body: &Value) -> RequestBuilder {
    let request = reqwest::Client::new().post(format!("{}/graphql", app.base)).json(body);
    if actor.token.is_empty() { request } else { request.bearer_auth(&actor.token) }
}

async fn keyed(app: &TestApp, actor: &Actor, key: &str, make: &str) -> Response {
    let body = json!({ "query": CREATE, "variables": { "m": make } });
    post(app, actor, &body).header("idempotency-key", key).send().await.unwrap()
}

async fn code(response: Response) -> String {
    let body: Value = response.json().await.unwrap();
    body["errors"][0]["extensions"]["code"].as_str().unwrap_or("none").to_owned()
}

async fn makes(actor: &Actor) -> Vec<String> {
    let list = actor.run(COUNT, json!({})).await;
    let nodes = list.at("/vehicles/nodes").as_array().unwrap();
    nodes.iter().map(|node| node["make"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_repeated_request_is_done_once_and_answered_alike() {
    let app = TestApp::start().await;
    let (garage, other) = (app.garage("dupont").await, app.garage("martin").await);
    let first = keyed(&app, &garage, "order-1", "Renault").await;
    assert!(first.headers().get("idempotency-replayed").is_none());
    let first: Value = first.json().await.unwrap();
    let again = keyed(&app, &garage, "order-1", "Renault").await;
    assert_eq!((again.status(), again.headers()["idempotency-replayed"].to_str().unwrap()), (StatusCode::OK, "true"));
    assert_eq!(again.json::<Value>().await.unwrap(), first);
    assert_eq!(makes(&garage).await, ["Renault"]);
    let reused = keyed(&app, &garage, "order-1", "Peugeot").await;
    assert_eq!(reused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(code(reused).await, "IDEMPOTENCY_KEY_REUSED");
    let theirs: Value = keyed(&app, &other, "order-1", "Renault").await.json().await.unwrap();
    assert_ne!(theirs["data"], first["data"], "keys are their caller's own");
    let stored = app.texts("SELECT answer AS text FROM core_idempotency").await;
    assert!(stored.iter().all(|answer| !answer.contains("createVehicle")), "answers are sealed");
    app.finish().await;
}

#[tokio::test]
async fn a_request_that_was_cut_off_says_so_and_keys_are_forgotten_after_a_day() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    keyed(&app, &garage, "order-1", "Renault").await;
    app.execute("UPDATE core_idempotency SET answer = NULL").await;
    let running = keyed(&app, &garage, "order-1", "Renault").await;
    assert_eq!(running.status(), StatusCode::CONFLICT);
    assert_eq!(code(running).await, "IDEMPOTENCY_IN_PROGRESS");
    app.app.clock().advance(Duration::from_secs(121));
    assert_eq!(code(keyed(&app, &garage, "order-1", "Renault").await).await, "IDEMPOTENCY_OUTCOME_UNKNOWN");
    keroxio_core::relay::look(&app.app).await.unwrap();
    app.app.clock().advance(Duration::from_secs(25 * 3_600));
    keroxio_core::relay::look(&app.app).await.unwrap();
    app.run_jobs().await;
    assert_eq!(app.texts("SELECT key AS text FROM core_idempotency").await, Vec::<String>::new());
    app.finish().await;
}

#[tokio::test]
async fn a_file_is_part_of_what_was_asked() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let query = "mutation($file: Upload!) { uploadPhoto(file: $file) { id } }";
    let send = async |name: &str| {
        let operations = json!({ "query": query, "variables": { "file": null } }).to_string();
        let form = reqwest::multipart::Form::new()
            .text("operations", operations)
            .text("map", r#"{"0":["variables.file"]}"#)
            .part("0", reqwest::multipart::Part::bytes(fixture(name)).file_name("file"));
        let request = reqwest::Client::new().post(format!("{}/graphql", app.base)).bearer_auth(&garage.token);
        request.header("idempotency-key", "photo-1").multipart(form).send().await.unwrap()
    };
    let first: Value = send("hatch-front.jpg").await.json().await.unwrap();
    assert!(first["data"]["uploadPhoto"]["id"].is_string(), "{first}");
    assert_eq!(send("hatch-front.jpg").await.json::<Value>().await.unwrap(), first);
    let other = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")).unwrap();
    let other = other.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let other = other.into_iter().find(|name| name.ends_with(".jpg") && name != "hatch-front.jpg").unwrap();
    assert_eq!(code(send(&other).await).await, "IDEMPOTENCY_KEY_REUSED");
    app.run_jobs().await;
    app.finish().await;
}

#[tokio::test]
async fn an_answer_too_large_to_keep_is_not_given_again_and_nothing_is_done_twice() {
    let app = TestApp::start().await;
    let garage = app.verified_garage("dupont").await;
    let fields: String = (0..30).map(|n| format!("s{n}: selection ")).collect();
    let query = format!(
        "mutation($s: String!) {{ createWebhook(input: {{ url: \"https://example.org/hook\", events: [LISTING_PREPARED], selection: $s }}) \
         {{ webhook {{ id {fields} }} }} }}"
    );
    let selection = format!("# {}\nquery($id: UUID!) {{ listing(id: $id) {{ id }} }}", "x".repeat(3_000));
    let body = json!({ "query": query, "variables": { "s": selection } });
    let ask = async || post(&app, &garage, &body).header("idempotency-key", "hook-1").send().await.unwrap();
    let first: Value = ask().await.json().await.unwrap();
    assert_eq!(first["data"]["createWebhook"]["webhook"]["s29"], selection.as_str(), "{first}");
    let again = ask().await;
    assert_eq!(again.status(), StatusCode::CONFLICT);
    assert_eq!(code(again).await, "IDEMPOTENCY_ANSWER_NOT_KEPT");
    assert_eq!(app.texts("SELECT count(*)::text AS text FROM webhook_endpoints").await, ["1"]);
    app.finish().await;
}

fn hash(query: &str) -> String {
    Sha256::digest(query).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn by_hash(query: Option<&str>, hash: &str) -> Value {
    json!({ "query": query, "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash } } })
}

#[tokio::test]
async fn a_document_is_sent_once_and_then_named_by_its_hash() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let ask = async |body: Value| post(&app, &garage, &body).send().await.unwrap();
    let unknown = ask(by_hash(None, &hash(VIEWER))).await;
    assert_eq!(unknown.status(), StatusCode::OK);
    let unknown: Value = unknown.json().await.unwrap();
    assert_eq!(unknown["errors"][0]["message"], "PersistedQueryNotFound");
    assert_eq!(unknown["errors"][0]["extensions"]["code"], "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(code(ask(by_hash(Some(VIEWER), &hash(COUNT))).await).await, "BAD_INPUT", "another's hash");
    for body in [by_hash(Some(VIEWER), &hash(VIEWER)), by_hash(None, &hash(VIEWER))] {
        let answer: Value = ask(body).await.json().await.unwrap();
        assert_eq!(answer["data"]["viewer"]["email"], "dupont@example.org");
    }
    let query = [("extensions", by_hash(None, &hash(VIEWER))["extensions"].to_string())];
    let get = reqwest::Client::new().get(format!("{}/graphql", app.base)).query(&query).bearer_auth(&garage.token);
    let answer: Value = get.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["data"]["viewer"]["email"], "dupont@example.org", "{answer}");

    // What a stranger sends is answered and not kept: it would take everybody's room.
    let stranger = async |body: Value| {
        let asked = reqwest::Client::new().post(format!("{}/graphql", app.base)).json(&body).send().await.unwrap();
        asked.json::<Value>().await.unwrap()
    };
    let theirs = "{ features { __typename } }";
    assert!(stranger(by_hash(Some(theirs), &hash(theirs))).await["data"]["features"].is_array());
    let again = stranger(by_hash(None, &hash(theirs))).await;
    assert_eq!(again["errors"][0]["extensions"]["code"], "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(stranger(by_hash(None, &hash(VIEWER))).await["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    app.finish().await;
}

#[tokio::test]
async fn of_the_documents_that_are_kept_the_oldest_go() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let ask = async |body: Value| post(&app, &garage, &body).send().await.unwrap().json::<Value>().await.unwrap();
    let index = app.app.redis().key("documents");
    let kept: Vec<(f64, String)> = (0..5_000).map(|n| (f64::from(n), format!("{n:064}"))).collect();
    app.app.redis().commands().zadd::<(), _, _>(&index, None, None, false, false, kept).await.unwrap();
    assert!(ask(by_hash(Some(VIEWER), &hash(VIEWER))).await["data"].is_object());
    let first: Vec<String> = app.app.redis().commands().zrange(&index, 0, 0, None, false, None, false).await.unwrap();
    assert_eq!(first, [format!("{:064}", 1)], "one came, and the oldest went");
    assert_eq!(app.app.redis().commands().zcard::<i64, _>(&index).await.unwrap(), 5_000);
    assert!(ask(by_hash(None, &hash(VIEWER))).await["data"].is_object());
    app.finish().await;
}

#[tokio::test]
async fn beside_a_list_of_documents_nothing_is_answered() {
    let register = "mutation($i: RegisterInput!) { register(input: $i) { accessToken } }";
    let list = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(list.path(), json!({ "a": VIEWER, "b": register }).to_string()).unwrap();
    let app = Setup::default().set("KEROXIO_QUERIES", list.path().to_str().unwrap()).start().await;
    let garage = app.garage("dupont").await;
    assert_eq!(garage.run(VIEWER, json!({})).await.text("/viewer/email"), "dupont@example.org");
    assert_eq!(garage.run(COUNT, json!({})).await.code(), "DOCUMENT_NOT_LISTED");
    let by_hash = post(&app, &garage, &by_hash(None, &hash(VIEWER))).send().await.unwrap();
    assert_eq!(by_hash.json::<Value>().await.unwrap()["data"]["viewer"]["email"], "dupont@example.org");
    app.finish().await;
}

#[tokio::test]
async fn what_the_schema_is_may_be_asked_by_those_it_is_meant_for() {
    let ask = "{ __schema { queryType { name } } }";
    let hidden = "query { ...F } fragment F on Query { __type(name: \"Vehicle\") { name } }";
    for (policy, stranger, member) in [
        ("everyone", "none", "none"),
        ("signed-in", "INTROSPECTION_REFUSED", "none"),
        ("off", "INTROSPECTION_REFUSED", "INTROSPECTION_REFUSED"),
    ] {
        let app = Setup::default().set("KEROXIO_INTROSPECTION", policy).start().await;
        let garage = app.garage("dupont").await;
        for query in [ask, hidden] {
            for (actor, expected) in [(app.anonymous(), stranger), (app.holding(garage.token.clone()), member)] {
                let answer = actor.run(query, json!({})).await;
                assert_eq!(answer.codes().first().copied().unwrap_or("none"), expected, "{policy}: {query}");
            }
        }
        app.finish().await;
    }
}

#[tokio::test]
async fn the_explorer_needs_nothing_from_elsewhere() {
    let app = TestApp::start().await;
    for (path, kind) in [("/explorer", "text/html"), ("/explorer.js", "text/javascript"), ("/explorer.css", "text/css")]
    {
        let page = app.anonymous().page(path).await;
        assert!(page.headers()["content-type"].to_str().unwrap().starts_with(kind));
        assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("script-src 'self'"));
        let text = page.text().await.unwrap();
        let elsewhere =
            text.split(['"', '\'', '(', ' ']).find(|word| word.starts_with("https://") || word.starts_with("//cdn"));
        assert_eq!(elsewhere, None, "{path}");
    }
    app.finish().await;
}

/// Every page that a letter leads to without a session is there, and does what the letter says in one mutation of the schema.
#[tokio::test]
async fn links_in_letters_lead_somewhere() {
    let app = TestApp::start().await;
    let garage = app.verified_garage("dupont").await;
    let invite = "mutation { inviteMember(email: \"julie@example.org\", role: SELLER) { id } }";
    garage.run(invite, json!({})).await.at("/inviteMember/id");
    app.anonymous()
        .run("mutation { requestPasswordReset(email: \"dupont@example.org\") }", json!({}))
        .await
        .at("/requestPasswordReset");
    let guest = app.anonymous().run("mutation { startAsGuest { accessToken } }", json!({})).await;
    let guest = app.holding(guest.text("/startAsGuest/accessToken"));
    let claim = "mutation { requestClaim(email: \"paul@example.org\") }";
    guest.run(claim, json!({})).await.at("/requestClaim");
    app.run_jobs().await;
    let letters = app.texts("SELECT plain AS text FROM email_messages WHERE plain LIKE '%#token=%'").await;
    let script = app.anonymous().page("/letter.js").await.text().await.unwrap();
    let mut paths = std::collections::BTreeSet::new();
    for letter in &letters {
        let url = letter.split_whitespace().find(|word| word.contains("#token=")).unwrap();
        let path = &url[url.find("//").unwrap() + 2..url.find('#').unwrap()];
        paths.insert(path[path.find('/').unwrap()..].to_owned());
    }
    assert_eq!(
        paths.iter().map(String::as_str).collect::<Vec<_>>(),
        ["/claim", "/invitation", "/reset-password", "/verify-email"]
    );
    for path in paths {
        let page = app.anonymous().page(&path).await;
        assert_eq!(page.status(), StatusCode::OK, "{path}");
        assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("script-src 'self'"));
        assert!(page.text().await.unwrap().contains("/letter.js") && script.contains(&format!("'{path}'")));
    }
    // What the script sends is what the schema takes: it fails for the token only.
    let is_text = |query: &&str| query.starts_with(['\'', '`']);
    for query in script.split("query: ").skip(1).filter(is_text) {
        let quote = query.chars().next().unwrap();
        let query = query[1..].split(quote).next().unwrap();
        let answer = app.anonymous().run(query, json!({ "token": "none", "password": "long enough for all" })).await;
        assert_eq!(answer.code(), "LINK_INVALID", "{query}");
    }
    app.finish().await;
}
