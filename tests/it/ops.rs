//! What operators see of a running system.

use std::collections::BTreeSet;

use keroxio_test_support::TestApp;
use serde_json::json;

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
