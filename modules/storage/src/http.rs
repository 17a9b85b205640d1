use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use keroxio_core::{App, ErrorCode, Result};
use uuid::Uuid;

use crate::model::Object;
use crate::{SignedLink, public, service};

pub fn routes() -> Router<App> {
    Router::new().route("/files/{id}", get(private)).route("/p/{key}", get(public))
}

/// A wrong signature, an expired one and an unknown file are the same answer.
async fn private(State(app): State<App>, Path(id): Path<Uuid>, Query(signed): Query<SignedLink>) -> Response {
    let found = service::signed(&app, id, signed.expires, &signed.signature).await;
    answer(&app, found, "private, max-age=600").await
}

/// Short enough for a picture that is withdrawn to disappear.
async fn public(State(app): State<App>, Path(key): Path<String>) -> Response {
    answer(&app, public::by_key(&app, &key).await, "public, max-age=600").await
}

async fn answer(app: &App, found: Result<Object>, cached: &'static str) -> Response {
    let bytes = async {
        let object = found?;
        Ok::<_, keroxio_core::Error>((service::read(app, &object).await?, object))
    };
    match bytes.await {
        Ok((bytes, object)) => {
            let headers = [
                (header::CONTENT_TYPE, object.media_type.as_str()),
                (header::CACHE_CONTROL, cached),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::CONTENT_DISPOSITION, disposition(&object.media_type)),
            ];
            (headers, bytes).into_response()
        }
        Err(e) if e.code() == ErrorCode::NOT_FOUND => StatusCode::NOT_FOUND.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Pictures are shown; what is no picture is saved under a name a program for it knows.
fn disposition(media_type: &str) -> &'static str {
    match media_type {
        "text/csv; charset=utf-8" => "attachment; filename=\"keroxio.csv\"",
        "message/rfc822" => "attachment; filename=\"message.eml\"",
        "application/zip" => "attachment; filename=\"photos.zip\"",
        picture if picture.starts_with("image/") => "inline",
        _ => "attachment; filename=\"keroxio.xlsx\"",
    }
}
