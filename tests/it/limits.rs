//! How much anybody may ask for, and from where.

use std::time::Duration;

use keroxio_test_support::{Actor, Setup, TestApp};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

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

#[tokio::test]
async fn who_sends_nonsense_is_stopped_at_the_door_and_the_neighbour_who_signed_in_is_not() {
    let small = [("KEROXIO_ANONYMOUS_COST_CAPACITY", "60"), ("KEROXIO_ANONYMOUS_COST_PER_SECOND", "2")];
    let app = small.into_iter().fold(Setup::default(), |setup, (name, value)| setup.set(name, value)).start().await;
    let garage = app.garage("dupont").await;
    app.app.clock().advance(Duration::from_secs(60));
    let client = reqwest::Client::new();
    let send = async |body: String| {
        let request = client.post(format!("{}/graphql", app.base)).header("content-type", "application/json");
        let request = request.header("accept", "application/graphql-response+json");
        let answer = request.body(body).send().await.unwrap();
        let (status, wait) = (answer.status(), answer.headers().get("retry-after").cloned());
        let body: Value = answer.json().await.unwrap();
        let wait = wait.map(|wait| wait.to_str().unwrap().parse::<u64>().unwrap());
        (status, body["errors"][0]["extensions"]["code"].clone(), wait)
    };
    for _ in 0..9 {
        assert_eq!(send("{".to_owned()).await, (StatusCode::BAD_REQUEST, json!("BAD_INPUT"), None));
    }
    assert_eq!(send(json!({ "query": "{" }).to_string()).await.1, json!("GRAPHQL_PARSE_FAILED"));
    let (status, code, wait) = send(json!({ "query": "{ __typename }" }).to_string()).await;
    assert_eq!((status, code), (StatusCode::TOO_MANY_REQUESTS, json!("RATE_LIMITED")), "even what is right");
    assert_eq!(garage.run("{ viewer { email } }", json!({})).await.at("/viewer/email"), "dupont@example.org");
    app.app.clock().advance(Duration::from_secs(wait.unwrap()));
    assert_eq!(send(json!({ "query": "{ __typename }" }).to_string()).await.0, StatusCode::OK, "it was told the truth");
    app.finish().await;
}

#[tokio::test]
async fn bodies_that_are_large_or_hold_too_much_are_not_read() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let client = reqwest::Client::new();
    let send_body = async |token: Option<&str>, body: reqwest::Body| {
        let request = client.post(format!("{}/graphql", app.base)).header("content-type", "application/json");
        let request = token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
        let answer = request.body(body).send().await.unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        (status.as_u16(), body["errors"][0]["extensions"]["code"].clone())
    };
    let send = async |token: Option<&str>, body: String| send_body(token, body.into()).await;
    let long = |length: usize| json!({ "query": format!("{{ __typename }} #{}", "x".repeat(length)) }).to_string();
    let many = |count: usize| json!({ "query": "{ __typename }", "variables": { "a": vec![1; count] } }).to_string();
    assert_eq!(send(None, long(300_000)).await, (200, Value::Null));
    for token in [None, Some(garage.token.as_str())] {
        // The client is told, even one that is still writing.
        assert_eq!(send(token, long(10 << 20)).await, (413, json!("PAYLOAD_TOO_LARGE")));
        // In pieces, nobody knows how long it will be.
        let pieces = futures_util::stream::iter((0..160).map(|_| Ok::<_, std::io::Error>("x".repeat(64 << 10))));
        let pieces = reqwest::Body::wrap_stream(pieces);
        assert_eq!(send_body(token, pieces).await, (413, json!("PAYLOAD_TOO_LARGE")));
    }
    assert_eq!(send(None, r#"{"query":"{a}","query":"{__typename}"}"#.to_owned()).await, (400, json!("BAD_INPUT")));
    assert_eq!(send(Some(&garage.token), many(30_000)).await, (400, json!("QUERY_TOO_COMPLEX")));
    assert_eq!(send(Some(&garage.token), many(10_000)).await, (200, Value::Null));
    app.finish().await;
}

#[tokio::test]
async fn a_body_in_pieces_costs_what_one_of_known_length_costs() {
    let small = [("KEROXIO_ANONYMOUS_COST_CAPACITY", "60"), ("KEROXIO_ANONYMOUS_COST_PER_SECOND", "2")];
    let app = small.into_iter().fold(Setup::default(), |setup, (name, value)| setup.set(name, value)).start().await;
    let client = reqwest::Client::new();
    let send = async |body: reqwest::Body| {
        let request = client.post(format!("{}/graphql", app.base)).header("content-type", "application/json");
        let answer = request.header("accept", "application/graphql-response+json").body(body).send().await.unwrap();
        let wait = answer.headers().get("retry-after").map(|wait| wait.to_str().unwrap().parse::<u64>().unwrap());
        (answer.status().as_u16(), wait)
    };
    let text = json!({ "query": format!("{{ __typename }} #{}", "x".repeat(800_000)) }).to_string();
    let pieces: Vec<_> = text.as_bytes().chunks(8_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    let mut waits = Vec::new();
    for body in [text.clone().into(), reqwest::Body::wrap_stream(futures_util::stream::iter(pieces))] {
        assert_eq!(send(body).await.0, 200);
        // What is owed has to be paid first.
        let (status, wait) = send("{}".into()).await;
        assert_eq!(status, 429);
        waits.push(wait.unwrap());
        app.app.clock().advance(Duration::from_secs(300));
    }
    assert_eq!(waits[0], waits[1]);
    assert!(waits[0] > 60, "{waits:?}");
    app.finish().await;
}

#[tokio::test]
async fn a_body_that_breaks_off_costs_what_came_of_it() {
    let small = [("KEROXIO_ANONYMOUS_COST_CAPACITY", "60"), ("KEROXIO_ANONYMOUS_COST_PER_SECOND", "1")];
    let app = small.into_iter().fold(Setup::default(), |setup, (name, value)| setup.set(name, value)).start().await;
    let place = app.base.strip_prefix("http://").unwrap();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: {place}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{{\r\n"
    );
    let mut socket = TcpStream::connect(place).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.shutdown().await.unwrap();
    // Until it is known to the server too.
    socket.read_to_end(&mut Vec::new()).await.unwrap();
    let question = json!({ "query": "{ __typename }" });
    let answer = reqwest::Client::new().post(format!("{}/graphql", app.base)).json(&question).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.json::<Value>().await.unwrap()["data"]["__typename"], "Query");
    app.finish().await;
}

#[tokio::test]
async fn what_the_schema_is_may_be_asked_only_so_often() {
    let small = [("KEROXIO_ANONYMOUS_COST_CAPACITY", "600"), ("KEROXIO_ANONYMOUS_COST_PER_SECOND", "5")];
    let app = small.into_iter().fold(Setup::default(), |setup, (name, value)| setup.set(name, value)).start().await;
    let garage = app.garage("dupont").await;
    app.app.clock().advance(Duration::from_secs(600));
    let client = reqwest::Client::new();
    let ask = async |query: &str| {
        let answer =
            client.post(format!("{}/graphql", app.base)).json(&json!({ "query": query })).send().await.unwrap();
        answer.json::<Value>().await.unwrap()
    };
    for query in [
        "{ __schema { queryType { name } } }",
        "{ ... { __type(name: \"Query\") { name } } }",
        "{ __schema { queryType { name } } features { __typename } }",
    ] {
        let answer = ask(query).await;
        assert!(answer["data"].to_string().contains("\"Query\""), "{query}: {answer}");
    }
    assert_eq!(ask("{ __typename }").await["errors"][0]["extensions"]["code"], "RATE_LIMITED");
    let known = garage.run("{ __schema { queryType { name } } }", json!({})).await;
    assert_eq!(known.at("/__schema/queryType/name"), "Query");
    app.finish().await;
}

#[tokio::test]
async fn those_who_send_slowly_keep_nobody_out() {
    let app = TestApp::start().await;
    let place = app.base.strip_prefix("http://").unwrap();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: {place}\r\ncontent-type: application/json\r\ncontent-length: 99\r\nexpect: 100-continue\r\n\r\n"
    );
    let mut waiting = Vec::new();
    for _ in 0..100 {
        let mut socket = TcpStream::connect(place).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        // The server asks for the body once the request is inside.
        let mut said = [0; 12];
        socket.read_exact(&mut said).await.unwrap();
        assert_eq!(&said, b"HTTP/1.1 100");
        waiting.push(socket);
    }
    let question = json!({ "query": "{ __typename }" });
    let answer = reqwest::Client::new().post(format!("{}/graphql", app.base)).json(&question).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    app.finish().await;
}

#[tokio::test]
async fn one_address_opens_only_so_many_connections_on_which_nobody_signs_in() {
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let place = app.base.strip_prefix("http://").unwrap();
    let open = async || {
        let mut socket = TcpStream::connect(place).await.unwrap();
        let head = format!(
            "GET /graphql HTTP/1.1\r\nhost: {place}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut said = [0; 12];
        socket.read_exact(&mut said).await.unwrap();
        (String::from_utf8(said[9..].to_vec()).unwrap(), socket)
    };
    let mut opened = Vec::new();
    for _ in 0..256 {
        let (status, socket) = open().await;
        assert_eq!(status, "101");
        opened.push(socket);
    }
    assert_eq!(open().await.0, "429");
    assert_eq!(garage.run("{ viewer { email } }", json!({})).await.at("/viewer/email"), "dupont@example.org");
    app.finish().await;
}

#[tokio::test]
async fn guests_of_one_address_have_together_what_a_stranger_has() {
    let small = [("KEROXIO_ANONYMOUS_COST_CAPACITY", "100"), ("KEROXIO_ANONYMOUS_COST_PER_SECOND", "1")];
    let app = small.into_iter().fold(Setup::default(), |setup, (name, value)| setup.set(name, value)).start().await;
    let start = "mutation { startAsGuest { accessToken } }";
    let mut guests = Vec::new();
    for _ in 0..2 {
        guests.push(app.holding(app.anonymous().run(start, json!({})).await.text("/startAsGuest/accessToken")));
    }
    let garage = app.garage("dupont").await;
    let list = "{ vehicles(first: 20) { nodes { make model } } }";
    let asked = async |who: &Actor| who.run(list, json!({})).await.codes().first().map(|code| (*code).to_owned());
    let mut refused = None;
    for _ in 0..10 {
        refused = refused.or(asked(&guests[0]).await);
    }
    assert_eq!(refused.as_deref(), Some("RATE_LIMITED"));
    assert_eq!(asked(&guests[1]).await.as_deref(), Some("RATE_LIMITED"), "another guest from there is no other");
    assert_eq!(asked(&garage).await, None, "who has an account has limits of its own");
    app.finish().await;
}

#[tokio::test]
async fn one_address_begins_only_so_often_without_an_account() {
    let app = TestApp::start().await;
    let start = "mutation { startAsGuest { accessToken } }";
    for _ in 0..20 {
        app.anonymous().run(start, json!({})).await.text("/startAsGuest/accessToken");
    }
    assert_eq!(app.anonymous().run(start, json!({})).await.code(), "TOO_MANY_ATTEMPTS");
    app.garage("dupont").await;
    app.finish().await;
}
