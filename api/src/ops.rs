//! What operators look at: metrics, signs of life, and a time and a number for every request.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::Context as _;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use keroxio_core::metrics::HTTP_SECONDS;
use keroxio_core::{App, Env, telemetry};
use metrics_exporter_prometheus::PrometheusHandle;
use metrics_process::Collector;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::listen::{self, Proxy};

/// The number of a request, in its answer and in every line of the log about it.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The page of metrics of this process.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
    process: Collector,
}

impl Metrics {
    /// Installs the recorder of this process. Call once.
    ///
    /// # Errors
    /// When a recorder is already installed.
    pub fn install() -> anyhow::Result<Self> {
        let handle = keroxio_core::metrics::install()?;
        let process = Collector::default();
        process.describe();
        Ok(Self { handle, process })
    }

    fn page(&self, app: &App) -> String {
        self.process.collect();
        keroxio_core::metrics::observe(app);
        self.handle.render()
    }
}

/// Signs of life.
pub fn health() -> Router<App> {
    Router::new().route("/healthz", get(|| async { "ok" })).route("/readyz", get(ready))
}

pub fn metrics(metrics: Metrics) -> Router<App> {
    Router::new().route("/metrics", get(move |State(app): State<App>| std::future::ready(metrics.page(&app))))
}

/// Serves metrics and signs of life at `KEROXIO_METRICS_ADDR` where it is set: a worker has no other door, and those of
/// the API need not be everybody's.
///
/// # Errors
/// When nothing can listen there.
pub async fn listen_apart(env: &Env, app: &App, of: Metrics, stop: CancellationToken) -> anyhow::Result<bool> {
    let Some(address) = env.optional("KEROXIO_METRICS_ADDR") else { return Ok(false) };
    let address: SocketAddr = address.parse().with_context(|| format!("KEROXIO_METRICS_ADDR: {address}"))?;
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .with_context(|| format!("{address} cannot be listened on; set KEROXIO_METRICS_ADDR"))?;
    let router = metrics(of).merge(health()).with_state(app.clone());
    tokio::spawn(listen::listen(listener, router, stop));
    Ok(true)
}

/// One line for each dependency: which of them cannot be used, and why.
async fn ready(State(app): State<App>) -> impl IntoResponse {
    let (mut page, mut status) = (String::new(), StatusCode::OK);
    for (name, verdict) in app.health().await {
        let told = match &verdict {
            Ok(()) => "ok",
            Err(trouble) => {
                status = StatusCode::SERVICE_UNAVAILABLE;
                trouble.what
            }
        };
        page += &format!("{name}: {told}\n");
    }
    (status, page)
}

/// Times a request by its route, and gives it its number.
pub async fn watch(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or("none", |path| path.as_str()).to_owned();
    let id = request.headers().get(&REQUEST_ID).and_then(given).unwrap_or_else(|| Uuid::now_v7().simple().to_string());
    let empty = tracing::field::Empty;
    let span = tracing::info_span!("request", %id, route, operation = empty, trace = empty);
    // Only a proxy of ours says what a request is part of: nobody else writes into our traces.
    if app.get::<Proxy>().is_ok_and(|proxy| proxy.0)
        && let Some(parent) = request.headers().get("traceparent").and_then(|value| value.to_str().ok())
    {
        telemetry::join(&span, parent);
    }
    if let Some(trace) = telemetry::trace_id(&span) {
        span.record("trace", trace);
    }
    let mut response = next.run(request).instrument(span).await;
    let class = match response.status().as_u16() {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    };
    metrics::histogram!(HTTP_SECONDS, "route" => route, "status" => class).record(started.elapsed().as_secs_f64());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The number a proxy of ours gave, where it is one: nobody writes lines into our log.
fn given(value: &HeaderValue) -> Option<String> {
    let text = value.to_str().ok()?;
    let is_id = (8..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_id.then(|| text.to_owned())
}
