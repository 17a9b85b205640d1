//! Mail that a mail server hands over: POST /inbound/email.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use keroxio_core::{App, Error, Result, as_tenant};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::inbound::{self, Read};
use crate::intake::{self, Incoming};
use crate::kinds::LeadSource;
use crate::model::{self, About, Alias, Mail};
use crate::settings::Inbound;
use crate::{aliases, error};

/// Bytes from which on a mail is refused.
const TOO_LARGE: usize = 20 << 20;
/// Time for a mail to arrive, and mails that are held at once: nobody has proved anything before the last byte.
const PATIENCE: Duration = Duration::from_secs(60);
const AT_ONCE: usize = 4;

/// Mails that may be held.
#[derive(Clone)]
pub struct Desk(Arc<Semaphore>);

impl Default for Desk {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

pub fn routes() -> Router<App> {
    Router::new().route("/inbound/email", post(take))
}

fn refusal(status: StatusCode, code: &'static str) -> Response {
    (status, axum::Json(json!({ "code": code }))).into_response()
}

/// The raw message is the body; `x-keroxio-signature: sha256=<HMAC-SHA256 of it in hexadecimal>` proves who sends it, and
/// `x-keroxio-recipient` may name the address it was delivered to.
async fn take(State(app): State<App>, request: Request) -> Response {
    match handle(&app, request).await {
        Ok(response) => response,
        Err(e) => {
            tracing::error!("a mail could not be taken: {e:?}");
            refusal(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE")
        }
    }
}

async fn handle(app: &App, request: Request) -> Result<Response> {
    let inbound: Inbound = app.get()?;
    if !inbound.is_configured() {
        return Ok(refusal(StatusCode::SERVICE_UNAVAILABLE, error::INBOUND_NOT_CONFIGURED.0));
    }
    let (parts, body) = request.into_parts();
    if announced(&parts.headers).is_some_and(|length| length >= TOO_LARGE as u64) {
        return Ok(refusal(StatusCode::PAYLOAD_TOO_LARGE, error::MAIL_TOO_LARGE.0));
    }
    let Some(signature) = parts.headers.get("x-keroxio-signature").and_then(|value| value.to_str().ok()) else {
        return Ok(refusal(StatusCode::UNAUTHORIZED, error::SIGNATURE_INVALID.0));
    };
    let desk: Desk = app.get()?;
    let Ok(_place) = desk.0.try_acquire() else {
        return Ok(refusal(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"));
    };
    let Some(raw) = whole(body).await else {
        return Ok(refusal(StatusCode::PAYLOAD_TOO_LARGE, error::MAIL_TOO_LARGE.0));
    };
    if !inbound.is_signed(&raw, signature) {
        return Ok(refusal(StatusCode::UNAUTHORIZED, error::SIGNATURE_INVALID.0));
    }
    let envelope = parts.headers.get("x-keroxio-recipient").and_then(|value| value.to_str().ok());
    let work = move || (inbound::read(&raw), raw);
    let (mut read, raw) = tokio::task::spawn_blocking(work).await.map_err(Error::internal)?;
    read.recipients.extend(envelope.map(str::to_lowercase));
    let Some(alias) = aliases::find(app, &read.recipients).await? else {
        return Ok(refusal(StatusCode::NOT_FOUND, "NOT_FOUND"));
    };
    let again = Box::pin(as_tenant(Some(alias.org_id), keep(app, &alias, read, raw.to_vec()))).await?;
    let state = if again { "known" } else { "received" };
    Ok((StatusCode::ACCEPTED, axum::Json(json!({ "state": state }))).into_response())
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The body, unless it is too large or does not come.
async fn whole(body: Body) -> Option<axum::body::Bytes> {
    tokio::time::timeout(PATIENCE, axum::body::to_bytes(body, TOO_LARGE - 1)).await.ok()?.ok()
}

/// Makes a lead of a mail, and keeps the mail as it came; answers whether it was there before.
async fn keep(app: &App, alias: &Alias, read: Read, raw: Vec<u8>) -> Result<bool> {
    let found = read.found;
    let now = app.now();
    let org_id = alias.org_id;
    if model::lead_of_external(&mut *app.conn().await?, org_id, &read.external_id).await?.is_some() {
        return Ok(true);
    }
    let object = keroxio_storage::service::put(app, org_id, raw, "message/rfc822", None).await?;
    let mut tx = app.begin().await?;
    let mut listing = alias.listing_id;
    for url in found.urls.iter().filter(|_| alias.listing_id.is_none()) {
        if listing.is_none() {
            listing = keroxio_publication::service::listing_at(app, &mut tx, org_id, url).await?;
        }
    }
    let vehicle = match (&found.reference, listing) {
        (Some(reference), None) => {
            keroxio_vehicle::service::by_stock_number(&mut tx, org_id, reference).await?.map(|car| car.id)
        }
        _ => None,
    };
    let (mut about, value_eur) = intake::about_in(&mut tx, org_id, listing, vehicle).await?;
    if about.vehicle_id.is_none() {
        about = About { car_text: found.car_text, ..about };
    }
    if found.is_answer && about == About::default() {
        about = intake::last_about(&mut tx, org_id, &found.person, now).await?;
    }
    let incoming = Incoming {
        org_id,
        source: found.source.unwrap_or(LeadSource::EmailOther),
        person: found.person,
        language: found.language,
        message: found.message,
        about,
        value_eur,
        remark: found.remark,
        received_at: now,
        external_id: Some(read.external_id),
        consents: Vec::new(),
        by: None,
        is_quiet: false,
    };
    let received = intake::receive(&mut tx, incoming).await?;
    if received.is_repeated {
        // It came twice at the same moment.
        return Ok(true);
    }
    let mail =
        Mail { id: uuid::Uuid::now_v7(), org_id, lead_id: received.lead.id, object_id: object.id, received_at: now };
    model::insert_mail(&mut tx, &mail).await?;
    tx.commit().await?;
    Ok(false)
}
