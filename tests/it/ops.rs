//! What operators see of a running system.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};

use diesel_async::RunQueryDsl as _;
use keroxio_api::doctor::{self, Grade};
use keroxio_core::Env;
use keroxio_test_support::{Setup, TestApp, TestDatabase, fixture};
use serde_json::{Value, json};

use crate::matrix::house;

/// Names of the metrics on the page, without what a histogram adds.
async fn names(app: &TestApp) -> BTreeSet<String> {
    let page = app.anonymous().page("/metrics").await.text().await.unwrap();
    page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_journey_leaves_its_traces_in_the_metrics() {
    let app = TestApp::start().await;
    let garage = house(&app, "garage").await;
    let watching = garage.subscribe("subscription { notificationAdded { id } }", json!({})).await;
    garage.run("{ vehicle(id: \"01890000-0000-7000-8000-000000000000\") { id } }", json!({})).await;
    let page = app.anonymous().page("/metrics").await.text().await.unwrap();
    for line in [
        "keroxio_events_total{event=\"auth.signed_up\"}",
        "keroxio_events_total{event=\"listing.prepared\"}",
        "keroxio_graphql_root_field_errors_total{field=\"Query.vehicle\",code=\"NOT_FOUND\"}",
        "keroxio_graphql_request_seconds_count{transport=\"http\",outcome=\"ok\"}",
        "keroxio_graphql_request_seconds_count{transport=\"http\",outcome=\"refused\"}",
        "keroxio_http_request_duration_seconds_count{route=\"/graphql\",status=\"2xx\"}",
        "keroxio_graphql_cost_points_count",
        "keroxio_database_query_seconds_count{outcome=\"ok\"}",
        "keroxio_database_connections{pool=\"tenants\",state=\"idle\"}",
        "keroxio_redis_command_seconds_count",
        "keroxio_redis_up 1",
        "keroxio_websocket_connections",
        "keroxio_graphql_subscriptions",
        "keroxio_refusals_total{by=\"door\"}",
        "keroxio_plate_confidence_count",
        "opendal_operation_duration_seconds_count",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "keroxio_build_info{version=",
    ] {
        assert!(page.contains(line), "{line} is missing");
    }
    // Nothing of a client's making becomes a label.
    for private in ["garage@example.org", "YK482ZN", "01890000-0000"] {
        assert!(!page.contains(private), "{private}");
    }
    drop(watching);
    app.finish().await;
}

#[tokio::test]
async fn names_and_units_follow_the_conventions() {
    let app = TestApp::start().await;
    house(&app, "garage").await;
    for name in names(&app).await {
        let is_ours = ["keroxio_", "opendal_", "process_"].iter().any(|prefix| name.starts_with(prefix));
        assert!(is_ours && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{name}");
        assert!(!["_ms", "_milliseconds", "_minutes", "_kb"].iter().any(|unit| name.ends_with(unit)), "{name}");
    }
    app.finish().await;
}

#[tokio::test]
async fn every_answer_has_a_number_and_nobody_writes_into_the_log() {
    let app = TestApp::start().await;
    let ask = async |given: Option<&str>| {
        let request = reqwest::Client::new().get(format!("{}/healthz", app.base));
        let request = given.into_iter().fold(request, |request, id| request.header("x-request-id", id));
        request.send().await.unwrap().headers()["x-request-id"].to_str().unwrap().to_owned()
    };
    assert_eq!(ask(Some("0af7651916cd43dd-1")).await, "0af7651916cd43dd-1");
    let own = ask(None).await;
    assert_eq!(own.len(), 32);
    for odd in ["short", "a b c d e f g h", "x=1;level=error", &"x".repeat(65)] {
        assert_ne!(ask(Some(odd)).await, odd);
    }
    app.finish().await;
}

/// A Redis of its own; it ends with the test.
struct OwnRedis(u16, Child);

impl OwnRedis {
    fn start() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let options = format!("--port {port} --bind 127.0.0.1 --appendonly no --dir /tmp");
        let mut command = Command::new("redis-server");
        command.args(options.split(' ')).args(["--save", ""]).stdout(Stdio::null());
        let redis = Self(port, command.spawn().unwrap());
        while redis.ask("ping") != "PONG\n" {
            std::thread::yield_now();
        }
        redis
    }

    fn ask(&self, command: &str) -> String {
        let port = self.0.to_string();
        let told = Command::new("redis-cli").args(["-p", &port]).args(command.split(' ')).output().unwrap();
        String::from_utf8(told.stdout).unwrap()
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        let _ = self.1.kill();
        let _ = self.1.wait();
    }
}

#[tokio::test]
async fn readiness_says_what_is_missing_and_why() {
    let redis = OwnRedis::start();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("photos");
    let setup = Setup::default().set("REDIS_URL", &format!("redis://127.0.0.1:{}", redis.0));
    let app = setup.set("KEROXIO_STORAGE_DIR", place.to_str().unwrap()).start().await;
    let page = async || {
        let answer = app.anonymous().page("/readyz").await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(page().await, (200, "postgresql: ok\nredis: ok\nstorage: ok\n".to_owned()));
    redis.ask("replicaof 127.0.0.1 1");
    assert_eq!(page().await, (503, "postgresql: ok\nredis: read only, it is a replica\nstorage: ok\n".to_owned()));
    redis.ask("replicaof no one");
    redis.ask("config set maxmemory 1");
    assert_eq!(page().await, (503, "postgresql: ok\nredis: out of memory\nstorage: ok\n".to_owned()));
    redis.ask("config set maxmemory 0");
    std::fs::remove_dir_all(&place).unwrap();
    std::fs::write(&place, "in the way").unwrap();
    assert_eq!(page().await, (503, "postgresql: ok\nredis: ok\nstorage: not writable\n".to_owned()));
    std::fs::remove_file(&place).unwrap();
    assert_eq!(page().await.0, 200);
    app.finish().await;
}

#[tokio::test]
async fn an_answer_for_want_of_a_service_is_a_503_that_says_when_to_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("photos");
    let app = Setup::default().set("KEROXIO_STORAGE_DIR", place.to_str().unwrap()).start().await;
    let garage = app.garage("dupont").await;
    std::fs::remove_dir_all(&place).unwrap();
    std::fs::write(&place, "in the way").unwrap();
    let upload = async |media_type: &str| {
        let operations =
            r#"{ "query": "mutation($f: Upload!) { uploadPhoto(file: $f) { id } }", "variables": { "f": null } }"#;
        let form = reqwest::multipart::Form::new()
            .text("operations", operations)
            .text("map", r#"{"0":["variables.f"]}"#)
            .part("0", reqwest::multipart::Part::bytes(fixture("hatch-front.jpg")).file_name("car.jpg"));
        let request = reqwest::Client::new().post(format!("{}/graphql", app.base)).bearer_auth(&garage.token);
        let answer = request.header("accept", media_type).multipart(form).send().await.unwrap();
        let (status, wait) = (answer.status().as_u16(), answer.headers().get("retry-after").cloned());
        (status, wait.and_then(|wait| wait.to_str().unwrap().parse().ok()), answer.json::<Value>().await.unwrap())
    };
    let (status, wait, told) = upload("application/graphql-response+json").await;
    assert_eq!((status, wait), (503, Some(5)), "{told}");
    assert_eq!(told.pointer("/errors/0/extensions/code").unwrap(), "UNAVAILABLE");
    assert_eq!(told.pointer("/errors/0/extensions/details/retryAfterSeconds").unwrap(), 5);
    let (status, wait, _) = upload("application/json").await;
    assert_eq!((status, wait), (200, Some(5)), "the older media type has no other status");
    std::fs::remove_file(&place).unwrap();
    let (status, wait, told) = upload("application/graphql-response+json").await;
    assert_eq!((status, wait), (200, None), "{told}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_what_is_wrong_and_says_how_to_mend_it() {
    let database = TestDatabase::create().await;
    let look = async |settings: &[(&str, &str)]| {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let wrong = doctor::look(&Env::from_vars(settings)).await.into_iter();
        wrong
            .filter(|finding| finding.grade == Grade::Error)
            .map(|finding| (finding.what, finding.told))
            .collect::<Vec<_>>()
    };
    let told = |wrong: &[(&str, String)], what: &str| {
        wrong.iter().find(|(name, _)| *name == what).map(|(_, told)| told.clone()).unwrap_or_default()
    };
    let nothing = look(&[]).await;
    assert!(told(&nothing, "database").contains("DATABASE_URL is not set"), "{nothing:?}");
    assert!(told(&nothing, "settings").contains("REDIS_URL is missing"), "all at once: {nothing:?}");
    assert!(told(&nothing, "settings").contains("KEROXIO_SECRET_KEY is missing"), "{nothing:?}");
    let gone = look(&[("DATABASE_URL", "postgres://keroxio@127.0.0.1:1/keroxio")]).await;
    assert!(told(&gone, "database").contains("See DATABASE_URL, and that it runs"), "{gone:?}");
    let mut conn = keroxio_core::establish(&database.url, &Env::from_vars([])).await.unwrap();
    let forget = "DELETE FROM __diesel_schema_migrations WHERE version > '202611260001'";
    diesel::sql_query(forget).execute(&mut conn).await.unwrap();
    drop(conn);
    let fresh = look(&[("DATABASE_URL", &database.url), ("KEROXIO_DATABASE_POOL", "4000")]).await;
    assert!(told(&fresh, "migrations").contains("run `keroxio migrate`"), "{fresh:?}");
    assert!(told(&fresh, "connections").contains("lower KEROXIO_DATABASE_POOL"), "{fresh:?}");
    assert_eq!(told(&fresh, "database"), "");
    database.drop().await;
}
