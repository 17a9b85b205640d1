//! The form by which anybody tells us of an ad, without JavaScript and without an account.

use axum::Router;
use axum::extract::{Form, FromRequest as _, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use keroxio_core::{App, ClientAddress, ErrorCode, as_system};
use minijinja::context;
use serde::Deserialize;

use crate::moderation::{self, ReportReason, Told};
use crate::page::{self, render_template};

/// Bytes of a form.
const MOST_BYTES: usize = 32 << 10;
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

#[derive(Default, Deserialize)]
struct Filled {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    details: String,
    email: Option<String>,
}

pub fn routes() -> Router<App> {
    Router::new().route("/a/{slug}/signaler", get(show).post(take))
}

async fn show(State(app): State<App>, Path(slug): Path<String>) -> Response {
    let found = as_system(async { page::at(&mut *app.conn().await?, &slug).await }).await;
    match found {
        Ok(Some(page)) if page.is_seen() => form(StatusCode::OK, &slug, &Filled::default(), None),
        Ok(_) => StatusCode::NOT_FOUND.into_response(),
        Err(e) => {
            tracing::error!("a form for reports cannot be shown: {e:?}");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

async fn take(State(app): State<App>, Path(slug): Path<String>, request: Request) -> Response {
    let from = request.extensions().get::<ClientAddress>().copied();
    let (parts, body) = request.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, MOST_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let request = Request::from_parts(parts, bytes.into());
    let Ok(Form(filled)) = Form::<Filled>::from_request(request, &()).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let Some(reason) = ReportReason::named(&filled.reason) else {
        return form(StatusCode::UNPROCESSABLE_ENTITY, &slug, &filled, Some("Choisissez un motif."));
    };
    let told = Told { reason, details: filled.details.clone(), email: filled.email.clone() };
    match as_system(moderation::report(&app, &slug, told, from)).await {
        Ok(()) => page("thanks", StatusCode::OK, context! { sent => true }),
        Err(e) if e.code() == ErrorCode::NOT_FOUND => StatusCode::NOT_FOUND.into_response(),
        Err(e) if [ErrorCode::INTERNAL, ErrorCode::UNAVAILABLE].contains(&e.code()) => {
            tracing::error!("a report cannot be taken: {e:?}");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Err(e) => {
            let status = match e.code() {
                ErrorCode::TOO_MANY_ATTEMPTS => StatusCode::TOO_MANY_REQUESTS,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            form(status, &slug, &filled, Some(e.message_fr()))
        }
    }
}

fn form(status: StatusCode, slug: &str, filled: &Filled, wrong: Option<&str>) -> Response {
    let reasons: Vec<_> = ReportReason::ALL
        .iter()
        .map(|reason| context! { name => reason.name(), label => reason.in_french(), on => reason.name() == filled.reason })
        .collect();
    let context = context! {
        slug => slug, reasons => reasons, details => &filled.details, email => &filled.email, wrong => wrong,
    };
    page("form", status, context)
}

fn page(what: &str, status: StatusCode, context: minijinja::Value) -> Response {
    match render_template("report.html", context) {
        Ok(html) => {
            let headers = [(header::CACHE_CONTROL, "no-store"), (header::CONTENT_SECURITY_POLICY, POLICY)];
            (status, headers, Html(html)).into_response()
        }
        Err(e) => {
            tracing::error!(what, "a page about reports cannot be shown: {e:?}");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
