use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use keroxio_core::{App, ErrorCode};
use serde::Deserialize;
use uuid::Uuid;

use crate::service;

#[derive(Deserialize)]
struct Signed {
    expires: i64,
    signature: String,
}

pub fn routes() -> Router<App> {
    Router::new().route("/files/{id}", get(file))
}

/// A wrong signature, an expired one and an unknown file are the same answer.
async fn file(State(app): State<App>, Path(id): Path<Uuid>, Query(signed): Query<Signed>) -> Response {
    let answer = async {
        let object = service::signed(&app, id, signed.expires, &signed.signature).await?;
        let bytes = service::read(&app, &object).await?;
        Ok::<_, keroxio_core::Error>((object.media_type, bytes))
    };
    match answer.await {
        Ok((media_type, bytes)) => {
            let headers =
                [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "private, max-age=600".to_owned())];
            (headers, bytes).into_response()
        }
        Err(e) if e.code() == ErrorCode::NOT_FOUND => StatusCode::NOT_FOUND.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
