//! What GraphQL clients and attackers send: over HTTP, with files, over WebSocket.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use keroxio_test_support::{Setup, TestApp, fixture};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes, http::HeaderValue};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

const MODERN: &str = "application/graphql-response+json";

/// Two to the power of 25, written in less than a kilobyte.
fn bomb() -> String {
    let doublings = (0..25).map(|n| format!("fragment F{n} on Query {{ ...F{m} ...F{m} }}", m = n + 1));
    format!("{{ ...F0 }} {} fragment F25 on Query {{ __typename }}", doublings.collect::<String>())
}

fn nested(open: &str, close: &str) -> String {
    format!("{{ photo(id: {}1{}) {{ id }} }}", open.repeat(700), close.repeat(700))
}

async fn post(app: &TestApp, body: String, accept: &str) -> (StatusCode, Value) {
    let request = reqwest::Client::new().post(format!("{}/graphql", app.base));
    let request = request.header("content-type", "application/json").header("accept", accept).body(body);
    let answer = request.send().await.unwrap();
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with(accept));
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test]
async fn http_answers_with_the_status_and_code_that_its_specification_wants() {
    let app = TestApp::start().await;
    let cases = [
        (json!({ "query": "{ __typename }" }), 200, None),
        (json!({ "query": "{ viewer { id } }" }), 200, Some("UNAUTHENTICATED")),
        (json!({ "query": "{" }), 400, Some("GRAPHQL_PARSE_FAILED")),
        (json!({ "query": "" }), 400, Some("GRAPHQL_PARSE_FAILED")),
        (json!({ "query": "{ nope }" }), 400, Some("GRAPHQL_VALIDATION_FAILED")),
        (json!({ "query": "query($id: UUID!) { photo(id: $id) { id } }" }), 400, Some("BAD_INPUT")),
        (
            json!({ "query": "query($id: UUID!) { photo(id: $id) { id } }", "variables": { "id": 4 } }),
            400,
            Some("BAD_INPUT"),
        ),
        (json!({ "query": "query A { __typename } query B { __typename }" }), 400, Some("GRAPHQL_VALIDATION_FAILED")),
        (json!({ "query": "{ __typename @nothing }" }), 400, Some("GRAPHQL_VALIDATION_FAILED")),
        (json!({ "query": bomb() }), 400, Some("QUERY_TOO_COMPLEX")),
        (json!({ "query": nested("[", "]") }), 400, Some("QUERY_TOO_COMPLEX")),
        (json!({ "query": nested("{a:", "}") }), 400, Some("QUERY_TOO_COMPLEX")),
        (json!({ "query": "subscription { jobUpdated(id: \"x\") { id } }" }), 400, Some("BAD_INPUT")),
        (json!({ "query": 4 }), 400, Some("BAD_INPUT")),
        (json!([{ "query": "{ __typename }" }]), 400, Some("BAD_INPUT")),
        (json!({}), 400, Some("BAD_INPUT")),
    ];
    for (body, status, code) in cases {
        let (got, answer) = post(&app, body.to_string(), MODERN).await;
        let found = answer["errors"][0]["extensions"]["code"].as_str();
        assert_eq!((got.as_u16(), found), (status, code), "{body:.200}: {answer}");
        assert_eq!(answer.get("data").is_some(), status == 200, "only what was executed has data: {answer}");
        let (old, _) = post(&app, body.to_string(), "application/json").await;
        let was_request =
            body.get("query").is_some_and(Value::is_string) && !body["query"].as_str().unwrap().starts_with("sub");
        assert_eq!(old.as_u16(), if was_request { 200 } else { 400 }, "{body:.200}");
    }
    let included =
        json!({ "query": "query($n: Boolean!) { __typename @include(if: $n) }", "variables": { "n": false } });
    assert_eq!(post(&app, included.to_string(), MODERN).await.1["data"], json!({}));
    app.finish().await;
}

#[tokio::test]
async fn get_reads_and_post_writes() {
    let app = TestApp::start().await;
    let get = async |query: &str| {
        let url = reqwest::Url::parse_with_params(&format!("{}/graphql", app.base), [("query", query)]).unwrap();
        reqwest::Client::new().request(Method::GET, url).header("accept", MODERN).send().await.unwrap()
    };
    assert_eq!(get("{ __typename }").await.status(), StatusCode::OK);
    let refused = get("mutation { logOut(refreshToken: \"x\") }").await;
    assert_eq!(
        (refused.status(), refused.headers()["allow"].to_str().unwrap()),
        (StatusCode::METHOD_NOT_ALLOWED, "POST")
    );
    let named = get("mutation Leave { logOut(refreshToken: \"x\") }").await;
    assert_eq!(named.status(), StatusCode::METHOD_NOT_ALLOWED, "a name changes nothing");
    assert_eq!(get("").await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(get(&bomb()).await.status(), StatusCode::BAD_REQUEST);
    let text = reqwest::Client::new().post(format!("{}/graphql", app.base)).header("content-type", "text/plain");
    let simple = text.body("{\"query\":\"{ __typename }\"}").send().await.unwrap();
    assert_eq!(simple.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "any site could send that");
    app.finish().await;
}

#[tokio::test]
async fn a_text_never_passes_for_a_file() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let mark = "#__graphql_file__:0";
    let by_variable = "mutation($f: Upload!) { uploadPhoto(file: $f) { id } }";
    for (query, variables) in [
        (by_variable.to_owned(), json!({ "f": mark })),
        (format!("mutation {{ uploadPhoto(file: \"{mark}\") {{ id }} }}"), json!({})),
        (format!("mutation {{ uploadPhoto(file: \"\"\"{mark}\"\"\") {{ id }} }}"), json!({})),
        (format!("mutation($f: Upload! = \"{mark}\") {{ uploadPhoto(file: $f) {{ id }} }}"), json!({})),
    ] {
        assert_eq!(garage.run(&query, variables.clone()).await.code(), "BAD_INPUT", "{query}");
        let form = Form::new()
            .text("operations", json!({ "query": query, "variables": variables }).to_string())
            .text("map", "{}");
        assert_eq!(send(&app, &garage.token, form).await.1, "BAD_INPUT", "{query}");
    }
    app.finish().await;
}

async fn send(app: &TestApp, token: &str, form: Form) -> (StatusCode, String) {
    let request = reqwest::Client::new().post(format!("{}/graphql", app.base)).bearer_auth(token).multipart(form);
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let body: Value = answer.json().await.unwrap();
    (status, body["errors"][0]["extensions"]["code"].as_str().unwrap_or("none").to_owned())
}

#[tokio::test]
async fn a_multipart_request_is_taken_as_its_specification_says_and_not_otherwise() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let two = json!({ "query": "mutation($a: Upload!, $b: Upload!) { one: uploadPhoto(file: $a) { id }
      two: uploadPhoto(file: $b) { id } }", "variables": { "a": null, "b": null } })
    .to_string();
    let photo = || Part::bytes(fixture("hatch-front.jpg")).file_name("a.jpg");
    let both = Form::new().text("operations", two.clone()).text("map", r#"{"0":["variables.a","variables.b"]}"#);
    assert_eq!(send(&app, &garage.token, both.part("0", photo())).await, (StatusCode::OK, "none".to_owned()));

    let one = json!({ "query": "mutation($f: Upload!) { uploadPhoto(file: $f) { id } }", "variables": { "f": null } });
    let with = |map: &str| Form::new().text("operations", one.to_string()).text("map", map.to_owned());
    let bad = [
        ("no file", with(r#"{"0":["variables.f"]}"#)),
        ("another file", with(r#"{"0":["variables.f"]}"#).part("1", photo())),
        ("one file too many", with(r#"{"0":["variables.f"]}"#).part("0", photo()).part("1", photo())),
        ("not in the variables", with(r#"{"0":["query"]}"#).part("0", photo())),
        ("no such variable", with(r#"{"0":["variables.g"]}"#).part("0", photo())),
        ("twice the same place", with(r#"{"0":["variables.f","variables.f"]}"#).part("0", photo())),
        ("a map of another form", with("[]").part("0", photo())),
        ("the map first", Form::new().text("map", "{}").text("operations", one.to_string())),
        ("the file first", Form::new().part("0", photo()).text("operations", one.to_string()).text("map", "{}")),
        ("a batch", Form::new().text("operations", format!("[{one}]")).text("map", "{}")),
        ("nothing", Form::new().text("other", "x")),
    ];
    for (what, form) in bad {
        assert_eq!(send(&app, &garage.token, form).await, (StatusCode::BAD_REQUEST, "BAD_INPUT".to_owned()), "{what}");
    }
    let places: Vec<String> = (0..21).map(|n| format!("\"{n}\":[\"variables.f.{n}\"]")).collect();
    let many = json!({ "query": "{ __typename }", "variables": { "f": vec![Value::Null; 21] } }).to_string();
    let many = Form::new().text("operations", many).text("map", format!("{{{}}}", places.join(",")));
    assert_eq!(send(&app, &garage.token, many).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let large = Form::new().text("operations", " ".repeat(2 << 20)).text("map", "{}");
    assert_eq!(send(&app, &garage.token, large).await.0, StatusCode::PAYLOAD_TOO_LARGE);

    let form = with(r#"{"0":["variables.f"]}"#).part("0", photo());
    let forged = reqwest::Client::new().post(format!("{}/graphql", app.base)).multipart(form).send().await.unwrap();
    assert_eq!(forged.status(), StatusCode::FORBIDDEN, "a form of another site has no such header");
    let large = with(r#"{"0":["variables.f"]}"#).part("0", Part::bytes(vec![0; 2 << 20]).file_name("a.jpg"));
    let stranger = reqwest::Client::new().post(format!("{}/graphql", app.base)).header("x-requested-with", "x");
    let stranger = stranger.multipart(large).send().await.unwrap();
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED, "nobody without an account fills our disk");
    app.finish().await;
}

/// A WebSocket as a client of any manners uses it.
struct Raw(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Raw {
    async fn open(app: &TestApp, protocol: Option<&'static str>) -> Self {
        let mut request = format!("{}/graphql", app.base.replacen("http", "ws", 1)).into_client_request().unwrap();
        if let Some(protocol) = protocol {
            request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(protocol));
        }
        Self(tokio_tungstenite::connect_async(request).await.unwrap().0)
    }

    async fn begun(app: &TestApp) -> Self {
        let mut socket = Self::open(app, Some("graphql-transport-ws")).await;
        socket.say(json!({ "type": "connection_init" })).await;
        assert_eq!(socket.heard().await["type"], "connection_ack");
        socket
    }

    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn ask(&mut self, id: &str, query: &str) {
        self.say(json!({ "id": id, "type": "subscribe", "payload": { "query": query } })).await;
    }

    async fn heard(&mut self) -> Value {
        match self.0.next().await.unwrap().unwrap() {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    async fn closed(&mut self) -> (u16, Utf8Bytes) {
        loop {
            match self.0.next().await.unwrap().unwrap() {
                Message::Close(Some(frame)) => return (frame.code.into(), frame.reason),
                Message::Close(None) => panic!("closed without a reason"),
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn who_sends_too_large_a_part_is_told_so() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let place = app.base.strip_prefix("http://").unwrap();
    for (token, status) in [(garage.token.as_str(), "413"), ("", "401")] {
        let part =
            format!("--b\r\ncontent-disposition: form-data; name=\"operations\"\r\n\r\n{}", "x".repeat(12 << 20));
        let mut socket = TcpStream::connect(place).await.unwrap();
        let authorization = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: {place}\r\nx-requested-with: test\r\n{authorization}content-type: multipart/form-data; boundary=b\r\ncontent-length: {}\r\n\r\n",
            part.len()
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(part.as_bytes()).await.unwrap();
        let mut said = [0; 12];
        socket.read_exact(&mut said).await.unwrap();
        assert_eq!(std::str::from_utf8(&said).unwrap(), format!("HTTP/1.1 {status}"));
    }
    app.finish().await;
}

#[tokio::test]
async fn a_socket_answers_queries_and_tells_errors_from_answers() {
    let app = TestApp::start().await;
    let mut socket = Raw::begun(&app).await;
    socket.ask("1", "{ __typename }").await;
    let next = socket.heard().await;
    assert_eq!((&next["id"], &next["type"]), (&json!("1"), &json!("next")));
    assert_eq!(next["payload"]["data"], json!({ "__typename": "Query" }));
    assert_eq!(socket.heard().await, json!({ "id": "1", "type": "complete" }));
    for (query, code) in [
        ("{ nope }".to_owned(), "GRAPHQL_VALIDATION_FAILED"),
        ("{".to_owned(), "GRAPHQL_PARSE_FAILED"),
        ("subscription { nope }".to_owned(), "GRAPHQL_VALIDATION_FAILED"),
        (bomb(), "QUERY_TOO_COMPLEX"),
        (nested("[", "]"), "QUERY_TOO_COMPLEX"),
        ("mutation { uploadPhoto(file: \"#__graphql_file__:0\") { id } }".to_owned(), "BAD_INPUT"),
    ] {
        // The same id again: an operation that failed is over.
        socket.ask("1", &query).await;
        let answer = socket.heard().await;
        assert_eq!((&answer["type"], &answer["payload"][0]["extensions"]["code"]), (&json!("error"), &json!(code)));
    }
    socket.say(json!({ "type": "ping", "payload": { "a": 1 } })).await;
    assert_eq!(socket.heard().await, json!({ "type": "pong", "payload": { "a": 1 } }));
    socket.ask("2", "{ viewer { id } }").await;
    let answer = socket.heard().await;
    assert_eq!(answer["payload"]["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "executed, and refused there");
    app.finish().await;
}

#[tokio::test]
async fn a_mutation_with_a_key_is_done_once_whatever_brings_it() {
    const CREATE: &str = "mutation { createVehicle(input: { make: \"Renault\", model: \"Clio\" }) { id } }";
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let mut socket = Raw::open(&app, Some("graphql-transport-ws")).await;
    let token = format!("Bearer {}", garage.token);
    socket.say(json!({ "type": "connection_init", "payload": { "authorization": token } })).await;
    assert_eq!(socket.heard().await["type"], "connection_ack");
    let mut ask = async |key: Value, query: &str| {
        let payload = json!({ "query": query, "extensions": { "idempotencyKey": key } });
        socket.say(json!({ "id": "1", "type": "subscribe", "payload": payload })).await;
        let told = socket.heard().await;
        if told["type"] == "next" {
            assert_eq!(socket.heard().await["type"], "complete");
        }
        told["payload"].clone()
    };
    let first = ask(json!("order-1"), CREATE).await;
    assert!(first["data"]["createVehicle"]["id"].is_string(), "{first}");
    assert_eq!(ask(json!("order-1"), CREATE).await["data"], first["data"]);
    let by_http = reqwest::Client::new().post(format!("{}/graphql", app.base)).bearer_auth(&garage.token);
    let by_http = by_http.header("idempotency-key", "order-1").json(&json!({ "query": CREATE })).send().await.unwrap();
    assert_eq!(by_http.json::<Value>().await.unwrap()["data"], first["data"], "the same key, by the other way");
    let code = |told: &Value| told[0]["extensions"]["code"].clone();
    let reused = ask(json!("order-1"), &CREATE.replace("Clio", "Zoe")).await;
    assert_eq!(code(&reused), "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(code(&ask(json!(""), CREATE).await), "BAD_INPUT");
    assert_eq!(code(&ask(json!(7), CREATE).await), "BAD_INPUT");
    assert_eq!(app.texts("SELECT model AS text FROM vehicle_vehicles").await, ["Clio"]);
    app.finish().await;
}

#[tokio::test]
async fn what_stands_for_a_variable_that_is_left_out_is_left_out() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let list = "query($n: Int, $after: String) { vehicles(first: $n, after: $after) { nodes { id } } }";
    assert_eq!(garage.run(list, json!({})).await.at("/vehicles/nodes"), &json!([]));
    assert_eq!(garage.run(list, json!({ "n": null })).await.at("/vehicles/nodes"), &json!([]));
    let create = "mutation($m: String, $v: String) { createVehicle(input: { make: $m, model: \"Clio\", version: $v }) { id make version } }";
    let made = garage.run(create, json!({ "m": "Renault" })).await;
    assert_eq!((made.at("/createVehicle/make"), made.at("/createVehicle/version")), (&json!("Renault"), &Value::Null));
    let needed = "query($id: UUID) { vehicle(id: $id) { id } }";
    assert_eq!(garage.run(needed, json!({})).await.code(), "GRAPHQL_VALIDATION_FAILED");
    app.finish().await;
}

#[tokio::test]
async fn pings_are_counted_as_what_they_cost() {
    let small = [("KEROXIO_ANONYMOUS_COST_CAPACITY", "50"), ("KEROXIO_ANONYMOUS_COST_PER_SECOND", "1")];
    let app = small.into_iter().fold(Setup::default(), |setup, (name, value)| setup.set(name, value)).start().await;
    let mut socket = Raw::begun(&app).await;
    for _ in 0..60 {
        // The last ones may find it closed.
        let _ = socket.0.send(Message::text(json!({ "type": "ping" }).to_string())).await;
    }
    assert_eq!(socket.closed().await, (4429, "Too many pings".into()));
    app.finish().await;
}

#[tokio::test]
async fn each_question_about_the_schema_is_paid_for_on_a_socket_too() {
    let small = [("KEROXIO_ANONYMOUS_COST_CAPACITY", "600"), ("KEROXIO_ANONYMOUS_COST_PER_SECOND", "5")];
    let app = small.into_iter().fold(Setup::default(), |setup, (name, value)| setup.set(name, value)).start().await;
    let mut socket = Raw::begun(&app).await;
    for (query, told) in [
        (
            "{ ...Q b: __type(name: \"Query\") { name } } fragment Q on Query { __schema { queryType { name } } }",
            "next",
        ),
        // What is owed after this one has to be paid first.
        ("{ __schema { queryType { name } } }", "next"),
        ("{ __typename }", "error"),
    ] {
        socket.ask("1", query).await;
        let answer = socket.heard().await;
        assert_eq!(answer["type"], told, "{query}: {answer}");
        if told == "next" {
            assert!(answer["payload"]["data"].to_string().contains("\"Query\""), "{answer}");
            assert_eq!(socket.heard().await["type"], "complete");
        } else {
            assert_eq!(answer["payload"][0]["extensions"]["code"], "RATE_LIMITED");
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn a_socket_is_closed_with_the_code_its_protocol_names() {
    let app = TestApp::start().await;
    assert_eq!(Raw::open(&app, None).await.closed().await.0, 4406);
    for wrong in [
        json!([]),
        json!("x"),
        json!({}),
        json!({ "type": 4 }),
        json!({ "type": "hello" }),
        json!({ "type": "connection_init", "payload": [] }),
        json!({ "type": "ping", "payload": "x" }),
        json!({ "type": "next", "id": "1", "payload": {} }),
        json!({ "type": "subscribe", "payload": { "query": "{ __typename }" } }),
        json!({ "type": "subscribe", "id": "", "payload": { "query": "{ __typename }" } }),
        json!({ "type": "complete" }),
    ] {
        let mut socket = Raw::open(&app, Some("graphql-transport-ws")).await;
        socket.say(wrong.clone()).await;
        assert_eq!(socket.closed().await.0, 4400, "{wrong}");
    }
    for payload in [json!(null), json!({}), json!({ "query": 4 }), json!({ "query": "{ a }", "variables": [] })] {
        let mut socket = Raw::begun(&app).await;
        socket.say(json!({ "type": "subscribe", "id": "1", "payload": payload })).await;
        assert_eq!(socket.closed().await.0, 4400, "{payload}");
    }
    let mut socket = Raw::begun(&app).await;
    socket.0.send(Message::binary(b"{}".to_vec())).await.unwrap();
    assert_eq!(socket.closed().await.0, 4400);
    let mut socket = Raw::open(&app, Some("graphql-transport-ws")).await;
    socket.ask("1", "{ __typename }").await;
    assert_eq!(socket.closed().await, (4401, "Unauthorized".into()));
    let mut socket = Raw::open(&app, Some("graphql-transport-ws")).await;
    socket.say(json!({ "type": "connection_init", "payload": { "authorization": "Bearer x.y.z" } })).await;
    assert_eq!(socket.closed().await.0, 4403);
    let mut socket = Raw::begun(&app).await;
    socket.say(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.closed().await, (4429, "Too many initialisation requests".into()));
    let mut socket = Raw::begun(&app).await;
    socket.0.send(Message::text("x".repeat(3 << 20))).await.unwrap();
    assert_eq!(socket.closed().await.0, 1009);
    app.finish().await;
}

#[tokio::test]
async fn an_id_is_used_by_one_operation_at_a_time_and_a_socket_bears_a_hundred() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let mut socket = Raw::open(&app, Some("graphql-transport-ws")).await;
    socket.say(json!({ "type": "connection_init", "payload": { "authorization": garage.token } })).await;
    assert_eq!(socket.heard().await["type"], "connection_ack");
    let follow = "subscription Follow { notificationAdded { id } }";
    for id in 0..100 {
        socket.ask(&id.to_string(), follow).await;
    }
    socket.ask("100", follow).await;
    let answer = socket.heard().await;
    assert_eq!(
        (&answer["id"], &answer["payload"][0]["extensions"]["code"]),
        (&json!("100"), &json!("TOO_MANY_OPERATIONS"))
    );
    socket.say(json!({ "id": "7", "type": "complete" })).await;
    socket.ask("7", follow).await;
    socket.ask("7", follow).await;
    assert_eq!(socket.closed().await, (4409, "Subscriber for 7 already exists".into()));
    app.finish().await;
}

#[tokio::test]
async fn a_socket_that_never_begins_is_closed() {
    let app = TestApp::start().await;
    let mut polite = Raw::begun(&app).await;
    polite.0.close(None).await.unwrap();
    assert!(matches!(polite.0.next().await, Some(Ok(Message::Close(None)))), "a close is answered");
    let mut socket = Raw::open(&app, Some("graphql-transport-ws")).await;
    let closed = tokio::time::timeout(Duration::from_secs(30), socket.closed()).await.unwrap();
    assert_eq!(closed, (4408, "Connection initialisation timeout".into()));
    app.finish().await;
}
