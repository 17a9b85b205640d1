//! Where Stripe tells us of what happened.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use keroxio_core::{App, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::jobs::{News, Note, Sync};
use crate::model::{self, Event};
use crate::settings::Settings;
use crate::stripe::objects::moment;
use crate::{WEBHOOKS, signature};

/// Largest event, in bytes.
const MAX_EVENT: usize = 1 << 20;

pub fn routes() -> Router<App> {
    Router::new().route("/webhooks/stripe", post(hear))
}

/// What we read of an event; everything else of its object is asked for.
#[derive(Deserialize)]
struct Told {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    created: i64,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Value,
}

impl Told {
    fn object_id(&self) -> Option<&str> {
        self.data.object.get("id")?.as_str()
    }

    /// A customer itself, or whose object this is.
    fn customer(&self) -> Option<&str> {
        let object = &self.data.object;
        if object.get("object").is_some_and(|kind| kind == "customer") {
            return self.object_id();
        }
        let customer = object.get("customer")?;
        customer.as_str().or_else(|| customer.get("id")?.as_str())
    }
}

async fn hear(State(app): State<App>, headers: HeaderMap, body: Body) -> StatusCode {
    let (status, outcome) = heard(&app, &headers, body).await;
    metrics::counter!(WEBHOOKS, "outcome" => outcome).increment(1);
    status
}

async fn heard(app: &App, headers: &HeaderMap, body: Body) -> (StatusCode, &'static str) {
    let Ok(settings) = app.get::<Settings>() else { return (StatusCode::NOT_FOUND, "not_configured") };
    if settings.webhook_secrets.is_empty() {
        return (StatusCode::NOT_FOUND, "not_configured");
    }
    let Ok(bytes) = axum::body::to_bytes(body, MAX_EVENT).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "too_large");
    };
    let header = headers.get("stripe-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !signature::is_genuine(header, &bytes, &settings.webhook_secrets, app.now()) {
        return (StatusCode::BAD_REQUEST, "forged");
    }
    let payload = serde_json::from_slice::<Value>(&bytes);
    let told = payload.and_then(|payload| Ok((serde_json::from_value::<Told>(payload.clone())?, payload)));
    let Ok((told, payload)) = told else { return (StatusCode::BAD_REQUEST, "unreadable") };
    match keep(app, &told, payload).await {
        Ok(outcome) => (StatusCode::OK, outcome),
        Err(e) => {
            tracing::error!("an event of Stripe could not be kept: {e}");
            (StatusCode::SERVICE_UNAVAILABLE, "failed")
        }
    }
}

/// Keeps an event and enqueues what follows from it, both or neither.
async fn keep(app: &App, told: &Told, payload: Value) -> Result<&'static str> {
    let mut tx = app.begin().await?;
    let customer = match told.customer() {
        Some(customer) => model::known_as(&mut tx, customer).await?,
        None => None,
    };
    let event = Event {
        id: told.id.clone(),
        org_id: customer.as_ref().map(|customer| customer.org_id),
        customer_id: customer.as_ref().map(|customer| customer.customer_id.clone()),
        kind: told.kind.clone(),
        object_id: told.object_id().map(str::to_owned),
        payload,
        happened_at: moment(told.created),
        received_at: app.now(),
    };
    if !model::insert_event(&mut tx, &event).await? {
        return tx.commit().await.map(|()| "repeated");
    }
    let outcome = if follow(&mut tx, &event).await? { "accepted" } else { "not_ours" };
    tx.commit().await?;
    Ok(outcome)
}

/// Enqueues what follows from an event; false where it is of nobody we know.
pub async fn follow(tx: &mut keroxio_core::Tx, event: &Event) -> Result<bool> {
    let known = event.org_id.zip(event.customer_id.clone());
    if let Some((org_id, customer_id)) = known.clone() {
        tx.enqueue(&Sync { customer_id, org_id, audit: false }).await?;
    }
    let news = News::of(&event.kind).zip(event.object_id.clone());
    // A dispute names its payment only; whose that is, Stripe says.
    if let Some((news, object_id)) = news.filter(|(news, _)| known.is_some() || *news == News::Dispute) {
        let customer_id = event.customer_id.clone();
        tx.enqueue(&Note { news, object_id, customer_id, org_id: event.org_id }).await?;
        return Ok(true);
    }
    Ok(known.is_some())
}
