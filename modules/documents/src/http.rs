//! Files by signed addresses that expire.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::NaiveDate;
use keroxio_core::{App, Error, ErrorCode, Result};
use keroxio_storage::{SignedLink, Signer};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{error, model, verify};

pub fn routes() -> Router<App> {
    Router::new().route("/documents/{file}", get(paper)).route("/registers/{site}/{from}/{to}", get(register))
}

pub fn paper_url(app: &App, id: Uuid) -> Result<String> {
    Ok(app.get::<Signer>()?.url_of(&format!("/documents/{id}.pdf"), app.now()))
}

pub fn register_url(app: &App, site: Uuid, from: NaiveDate, to: NaiveDate) -> Result<String> {
    Ok(app.get::<Signer>()?.url_of(&format!("/registers/{site}/{from}/{to}"), app.now()))
}

/// A wrong signature, an expired one and an unknown paper are the same answer.
fn require_signed(app: &App, path: &str, link: &SignedLink) -> Result<()> {
    let is_signed = app.get::<Signer>()?.verify_path(path, link, app.now());
    if is_signed { Ok(()) } else { Err(error::paper()) }
}

async fn paper(State(app): State<App>, Path(file): Path<String>, Query(link): Query<SignedLink>) -> Response {
    let found = async {
        require_signed(&app, &format!("/documents/{file}"), &link)?;
        let id = file.strip_suffix(".pdf").and_then(|id| id.parse().ok()).ok_or_else(error::paper)?;
        let (paper, pdf) = model::original(&mut *app.conn().await?, id).await?.ok_or_else(error::paper)?;
        if paper.pdf_sha256 != Some(hex::encode(Sha256::digest(&pdf))) {
            return Err(Error::internal(anyhow::anyhow!("the file of paper {id} is not the one that was issued")));
        }
        Ok((paper.number.unwrap_or_default(), pdf))
    };
    answer(found.await)
}

async fn register(
    State(app): State<App>,
    Path((site, from, to)): Path<(Uuid, NaiveDate, NaiveDate)>,
    Query(link): Query<SignedLink>,
) -> Response {
    let found = async {
        require_signed(&app, &format!("/registers/{site}/{from}/{to}"), &link)?;
        Ok((format!("registre-{from}-{to}"), verify::print(&app, site, from, to).await?))
    };
    answer(found.await)
}

fn answer(found: Result<(String, Vec<u8>)>) -> Response {
    let e = match found {
        Ok((name, pdf)) => {
            let headers = [
                (header::CONTENT_TYPE, "application/pdf".to_owned()),
                (header::CACHE_CONTROL, "private, no-store".to_owned()),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
                (header::CONTENT_DISPOSITION, format!("inline; filename=\"{name}.pdf\"")),
            ];
            return (headers, pdf).into_response();
        }
        Err(e) => e,
    };
    match e.code() {
        ErrorCode::NOT_FOUND => StatusCode::NOT_FOUND.into_response(),
        ErrorCode::BAD_INPUT => (StatusCode::UNPROCESSABLE_ENTITY, e.message_fr().to_owned()).into_response(),
        error::REGISTER_BROKEN => (StatusCode::CONFLICT, e.message_fr().to_owned()).into_response(),
        _ => {
            tracing::error!("a document could not be given: {e}");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
