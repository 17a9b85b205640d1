//! One delivery: a signed request, and what becomes of it.

use std::time::Duration as Patience;

use chrono::{DateTime, Duration, Utc};
use keroxio_core::metrics::{Call, outbound};
use keroxio_core::{
    Actor, App, BackgroundJob, Credential, Effects, JobError, Provider, Queue, Result, Right, Rights, Tx, as_tenant,
    standard_webhooks,
};
use keroxio_email::{Letter, Locale};
use keroxio_notification::{Notice, NotificationKind, service as notification};
use reqwest::{Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::destination::Sender;
use crate::model::{self, Delivery, Endpoint, Event};
use crate::selection::Selector;
use crate::signature::Vault;

/// Until the next attempt, in seconds, after each that failed.
const PAUSES: [i64; 8] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000];
/// Failed attempts in a row after which a webhook stops.
const MAX_FAILURES: i32 = 20;
/// Longest pause that an answer may ask for.
const LONGEST_PAUSE: i64 = 24 * 3_600;

/// Tries a delivery once; the next attempt is a job of its own.
#[derive(Serialize, Deserialize)]
pub struct Deliver {
    pub delivery_id: Uuid,
    pub org_id: Uuid,
}

/// What came of an attempt.
enum Outcome {
    Delivered(StatusCode),
    /// The receiver does not want it, and never will.
    Refused(StatusCode),
    /// Another attempt may end otherwise; after so many seconds where the receiver says so.
    Passing {
        status: Option<StatusCode>,
        error: String,
        wait: Option<i64>,
    },
}

impl Outcome {
    fn name(&self) -> &'static str {
        match self {
            Self::Delivered(_) => "delivered",
            Self::Refused(_) => "refused",
            Self::Passing { .. } => "failed",
        }
    }

    fn call(&self) -> Call {
        match self {
            Self::Delivered(_) => Call::Ok,
            Self::Refused(_) => Call::Refused,
            Self::Passing { .. } => Call::Failed,
        }
    }
}

impl BackgroundJob for Deliver {
    const NAME: &'static str = "webhook.deliver";
    const QUEUE: Queue = Queue::Outbound;
    const TIMEOUT: Patience = Patience::from_secs(60);
    const PROVIDER: Option<Provider> = Some(Provider { name: "webhooks", at_once: 6 });

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let Some((delivery, endpoint, event)) = load(&app, &self).await? else { return Ok(Effects::none()) };
        let outcome =
            if endpoint.stopped_at.is_some() { None } else { Some(attempt(&app, &delivery, &endpoint, &event).await?) };
        let mut tx = app.begin().await?;
        settle(&mut tx, delivery, outcome).await?;
        Ok(tx.into())
    }
}

async fn load(app: &App, job: &Deliver) -> Result<Option<(Delivery, Endpoint, Event)>> {
    let mut conn = app.conn().await?;
    let delivery = model::delivery(&mut conn, job.delivery_id).await?;
    let Some(delivery) = delivery.filter(|delivery| delivery.state == "pending") else { return Ok(None) };
    let endpoints = model::endpoints(&mut conn, job.org_id).await?;
    let endpoint = endpoints.into_iter().find(|endpoint| endpoint.id == delivery.endpoint_id);
    let event = model::event(&mut conn, job.org_id, delivery.event_id).await?;
    Ok(endpoint.zip(event).map(|(endpoint, event)| (delivery, endpoint, event)))
}

async fn attempt(app: &App, delivery: &Delivery, endpoint: &Endpoint, event: &Event) -> Result<Outcome> {
    let data = data(app, endpoint, event).await?;
    let body = json!({ "type": event.name, "timestamp": event.occurred_at, "data": data }).to_string();
    let timestamp = app.now().timestamp();
    let vault = app.get::<Vault>()?;
    let id = event.id.to_string();
    let sign = |secret| standard_webhooks::sign(&secret, &id, timestamp, body.as_bytes());
    let mut signatures = vec![sign(vault.open(endpoint.id, &endpoint.secret)?)?];
    if let Some(old) = endpoint.old_secret.as_ref().filter(|_| endpoint.old_until.is_some_and(|at| at > app.now())) {
        signatures.push(sign(vault.open(endpoint.id, old)?)?);
    }
    let sender = app.get::<Sender>()?;
    // Looked at again: what is allowed may have changed since.
    let url = match sender.check(&endpoint.url) {
        Ok(url) => url,
        Err(e) => return Ok(Outcome::Passing { status: None, error: e.message_en().to_owned(), wait: None }),
    };
    let request = sender
        .client
        .post(url)
        .header(header::CONTENT_TYPE, "application/json")
        .header("webhook-id", event.id.to_string())
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signatures.join(" "))
        .header("webhook-delivery", delivery.id.to_string())
        .body(body);
    let answered = async {
        match request.send().await {
            Ok(answer) => judge(&answer),
            Err(e) => Outcome::Passing { status: None, error: reason(&e), wait: None },
        }
    };
    Ok(outbound("webhook", answered, Outcome::call).await)
}

/// The ids, or what the webhook's own query answers now.
async fn data(app: &App, endpoint: &Endpoint, event: &Event) -> Result<Value> {
    let Some(query) = endpoint.selection.as_ref().filter(|_| event.name != crate::kinds::WebhookEvent::TEST) else {
        return Ok(event.facts.clone());
    };
    let actor = reader(endpoint);
    let selector = app.get::<Selector>()?;
    as_tenant(Some(endpoint.org_id), selector.0.answer(app, actor, query, event.subject_id)).await
}

/// Who asks a webhook's query: a program of its organization, that may see and nothing more.
pub fn reader(endpoint: &Endpoint) -> Actor {
    Actor {
        user_id: endpoint.created_by,
        org_id: endpoint.org_id,
        credential: Credential::ApiKey(endpoint.id),
        rights: Rights::of(&[Right::Read]),
        limits: None,
        is_guest: false,
        staff: false,
    }
}

fn judge(answer: &Response) -> Outcome {
    let status = answer.status();
    if status.is_success() {
        return Outcome::Delivered(status);
    }
    let is_passing =
        status.is_server_error() || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
    if !is_passing {
        return Outcome::Refused(status);
    }
    let wait = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<i64>().ok());
    Outcome::Passing { status: Some(status), error: status.to_string(), wait }
}

/// What broke, without what is inside of us.
fn reason(error: &reqwest::Error) -> String {
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection: the name does not resolve to a public address, nobody listens, or the certificate is not trusted"
    } else {
        "the connection broke off"
    };
    what.to_owned()
}

/// Writes down what came of an attempt, and when the next one is. Without an outcome the webhook had stopped.
async fn settle(tx: &mut Tx, mut delivery: Delivery, outcome: Option<Outcome>) -> Result<()> {
    let now = tx.app().now();
    let Some(mut endpoint) = model::endpoint(tx, delivery.org_id, delivery.endpoint_id).await? else { return Ok(()) };
    let (mut next, mut result) = (None, "stopped");
    delivery.next_at = None;
    match outcome {
        None => (delivery.state, delivery.error) = ("failed".to_owned(), Some("the webhook has stopped".to_owned())),
        Some(outcome) => {
            delivery.attempt += 1;
            result = outcome.name();
            delivery.tried_at = Some(now);
            next = note(&mut delivery, &mut endpoint, outcome, now);
        }
    }
    let stops = endpoint.stopped_at.is_none() && endpoint.failures >= MAX_FAILURES;
    if stops {
        endpoint.stopped_at = Some(now);
        tell(tx, &endpoint).await?;
    }
    metrics::counter!(crate::DELIVERIES, "outcome" => result).increment(1);
    delivery.next_at = next;
    model::save_delivery(tx, &delivery).await?;
    model::save_endpoint(tx, &endpoint).await?;
    if let Some(at) = next {
        tx.enqueue_at(&Deliver { delivery_id: delivery.id, org_id: delivery.org_id }, at).await?;
    }
    Ok(())
}

/// What an attempt says of its delivery and its webhook; answers when to try again.
fn note(
    delivery: &mut Delivery,
    endpoint: &mut Endpoint,
    outcome: Outcome,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let status_of = |status: StatusCode| Some(i32::from(status.as_u16()));
    match outcome {
        Outcome::Delivered(status) => {
            (delivery.state, delivery.status, delivery.error) = ("delivered".to_owned(), status_of(status), None);
            endpoint.failures = 0;
            None
        }
        Outcome::Refused(status) => {
            let error = Some(status.to_string());
            (delivery.state, delivery.status, delivery.error) = ("failed".to_owned(), status_of(status), error);
            // Gone: the receiver says itself that nobody is there any more.
            endpoint.failures = if status == StatusCode::GONE { MAX_FAILURES } else { endpoint.failures + 1 };
            None
        }
        Outcome::Passing { status, error, wait } => {
            (delivery.status, delivery.error) = (status.and_then(status_of), Some(error));
            endpoint.failures += 1;
            let made = usize::try_from(delivery.attempt).unwrap_or(usize::MAX);
            let pause = PAUSES.get(made - 1).map(|pause| wait.unwrap_or(0).clamp(*pause, LONGEST_PAUSE.max(*pause)));
            if pause.is_none() {
                "failed".clone_into(&mut delivery.state);
            }
            pause.map(|pause| now + Duration::seconds(pause))
        }
    }
}

/// Tells the organization that a webhook has stopped.
async fn tell(tx: &mut Tx, endpoint: &Endpoint) -> Result<()> {
    let notice = Notice {
        org_id: endpoint.org_id,
        kind: NotificationKind::WebhookStopped,
        title_fr: format!("Webhook arrêté après {} échecs de suite : {}", endpoint.failures, endpoint.url),
        title_en: format!("Webhook stopped after {} failures in a row: {}", endpoint.failures, endpoint.url),
        subject_id: Some(endpoint.id),
    };
    notification::notify(tx, notice).await?;
    let Some((email, locale)) = keroxio_auth::service::address_of(tx, endpoint.created_by).await? else {
        return Ok(());
    };
    let letter = Letter::WebhookStopped { target: endpoint.url.clone(), failures: endpoint.failures };
    keroxio_email::service::send(tx, Some(endpoint.org_id), &email, Locale::named(&locale), &letter).await
}
