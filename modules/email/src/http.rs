//! Where Resend tells us of what happened, and where one click ends letters.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use keroxio_core::standard_webhooks::{self, Headers};
use keroxio_core::{App, Result};
use serde_json::json;

use crate::WEBHOOKS;
use crate::delivery::{self, Told};
use crate::settings::Hook;
use crate::unsubscribe::{self, Key};

/// Largest event, in bytes.
const MAX_EVENT: usize = 256 << 10;
/// A page of one button needs nothing from anywhere.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

pub fn routes() -> Router<App> {
    Router::new().route("/webhooks/resend", post(hear)).route("/email/unsubscribe/{token}", get(ask).post(end))
}

async fn hear(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    let (status, outcome) = heard(&app, &headers, body).await;
    metrics::counter!(WEBHOOKS, "outcome" => outcome).increment(1);
    (status, axum::Json(json!({ "code": outcome.to_uppercase() }))).into_response()
}

async fn heard(app: &App, headers: &HeaderMap, body: Body) -> (StatusCode, &'static str) {
    let secrets = app.get::<Hook>().map(|hook| hook.0).unwrap_or_default();
    if secrets.is_empty() {
        return (StatusCode::SERVICE_UNAVAILABLE, "not_configured");
    }
    let Ok(bytes) = axum::body::to_bytes(body, MAX_EVENT).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "too_large");
    };
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given =
        Headers { id: header("svix-id"), timestamp: header("svix-timestamp"), signature: header("svix-signature") };
    if !secrets.iter().any(|secret| standard_webhooks::is_genuine(given, &bytes, secret, app.now())) {
        return (StatusCode::BAD_REQUEST, "forged");
    }
    let Ok(told) = serde_json::from_slice::<Told>(&bytes) else { return (StatusCode::BAD_REQUEST, "unreadable") };
    match keep(app, given.id, &told).await {
        Ok(outcome) => (StatusCode::OK, outcome),
        Err(e) => {
            tracing::error!("an event of Resend could not be kept: {e}");
            (StatusCode::SERVICE_UNAVAILABLE, "failed")
        }
    }
}

async fn keep(app: &App, id: &str, told: &Told) -> Result<&'static str> {
    let mut tx = app.begin().await?;
    let outcome = delivery::hear(&mut tx, id, told).await?;
    tx.commit().await?;
    Ok(outcome)
}

/// Programs that look at every link in a letter change nothing.
async fn ask(State(app): State<App>, Path(token): Path<String>) -> Response {
    match app.get::<Key>().ok().and_then(|key| key.read(&token)) {
        Some(_) => page(StatusCode::OK, include_str!("../templates/unsubscribe.html")),
        None => page(StatusCode::NOT_FOUND, include_str!("../templates/unsubscribe_unknown.html")),
    }
}

/// Whatever the body says: whoever has the link may.
async fn end(State(app): State<App>, Path(token): Path<String>) -> Response {
    match unsubscribe::end(&app, &token).await {
        Ok(true) => page(StatusCode::OK, include_str!("../templates/unsubscribed.html")),
        Ok(false) => page(StatusCode::NOT_FOUND, include_str!("../templates/unsubscribe_unknown.html")),
        Err(e) => {
            tracing::error!("letters could not be ended: {e}");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

fn page(status: StatusCode, html: &'static str) -> Response {
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, Html(html)).into_response()
}
