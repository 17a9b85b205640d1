//! What a collector of traces is told. A process of its own: there is one tracer in each.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use keroxio_core::telemetry::Telemetry;
use keroxio_test_support::{TestApp, fixture};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

/// A collector that keeps what it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

impl Collector {
    /// Its address, once it listens.
    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let kept = self.clone();
        let take = move |body: Bytes| {
            let told = ExportTraceServiceRequest::decode(body).unwrap();
            let resources = told.resource_spans.into_iter();
            let scopes = resources.flat_map(|resource| resource.scope_spans);
            kept.0.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
            std::future::ready(())
        };
        let router = Router::new().route("/v1/traces", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    fn spans(&self) -> Vec<Span> {
        self.0.lock().unwrap().clone()
    }
}

fn attribute(span: &Span, key: &str) -> String {
    let found = span.attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.clone()?.value) {
        Some(Value::StringValue(text)) => text,
        _ => String::new(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_the_job_it_writes_and_their_statements_are_one_trace() {
    // As the executable does before anything else.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let collector = Collector::default();
    let telemetry = Telemetry {
        filter: "error".to_owned(),
        json: false,
        collector: Some(collector.start().await),
        traced: "info,keroxio_core=debug".to_owned(),
    };
    let traces = telemetry.start();
    let app = TestApp::start().await;
    let garage = app.garage("dupont").await;
    let photo = garage.upload(fixture("hatch-front.jpg")).await.text("/uploadPhoto/id");
    let read = "mutation($p: UUID!) { readPlate(photoId: $p) { id } }";
    garage.run(read, serde_json::json!({ "p": photo })).await.text("/readPlate/id");
    app.run_jobs().await;
    let traces = tokio::task::spawn_blocking(move || {
        traces.flush();
        traces
    });
    let traces = traces.await.unwrap();
    let spans = collector.spans();
    let named = |name: &str, key: &str, value: &str| {
        let mut found = spans.iter().filter(|span| span.name == name && attribute(span, key) == value);
        found.next().unwrap_or_else(|| panic!("no span {name} with {key} = {value}")).clone()
    };
    let field = named("field", "field", "Mutation.readPlate");
    let request = spans.iter().find(|span| span.span_id == field.parent_span_id).unwrap();
    assert_eq!((request.name.as_str(), attribute(request, "route").as_str()), ("request", "/graphql"));
    let job = named("job", "job.name", "plates.read");
    assert_eq!(job.trace_id, request.trace_id, "what a request sets going is part of its trace");
    assert_eq!(job.parent_span_id, field.span_id);
    let inside = |name: &str| {
        let within =
            |span: &&Span| span.name == name && span.trace_id == job.trace_id && span.parent_span_id == job.span_id;
        spans.iter().filter(within).collect::<Vec<_>>()
    };
    assert!(!inside("sql").is_empty(), "its statements are within it");
    let statements = spans.iter().filter(|span| span.name == "sql").map(|span| attribute(span, "db.statement"));
    let statements: Vec<String> = statements.collect();
    assert!(statements.iter().any(|text| text.contains("plates_readings")));
    for text in &statements {
        assert!(!text.contains("dupont@example.org") && !text.contains("binds"), "what is bound is somebody's: {text}");
    }
    drop(traces);
}
