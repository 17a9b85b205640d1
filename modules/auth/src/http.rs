use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use keroxio_core::App;

use crate::keys::Keys;

pub fn routes() -> Router<App> {
    Router::new().route("/.well-known/jwks.json", get(key_set))
}

/// The public keys of access tokens; a new one is announced here before it signs.
async fn key_set(State(app): State<App>) -> Response {
    match app.get::<Keys>() {
        Ok(keys) => ([(header::CACHE_CONTROL, "public, max-age=300")], Json(keys.public())).into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
