use chrono::{DateTime, Duration, Utc};
use keroxio_core::{Actor, App, Bucket, Error, Page, Queue, Result, Right, Secret};
use serde_json::json;
use uuid::Uuid;

use crate::destination::Sender;
use crate::kinds::WebhookEvent;
use crate::model::{self, Delivery, Endpoint, Event};
use crate::selection::Selector;
use crate::signature::Vault;
use crate::{deliver, error, note};

/// Most webhooks of an organization.
const MAX_ENDPOINTS: usize = 20;
/// Most events that are sent again at once.
const MAX_REPLAYED: i64 = 1_000;
/// How long an old secret signs beside the new one.
const OVERLAP: Duration = Duration::hours(24);

/// Replays of an organization: each may be a thousand deliveries.
const REPLAYS: Bucket = Bucket::of(20, std::time::Duration::from_secs(3_600));

/// What is said of a webhook; what is absent stays as it is, an empty text takes away.
#[derive(Default)]
pub struct Wanted {
    pub url: Option<String>,
    pub events: Option<Vec<WebhookEvent>>,
    pub selection: Option<String>,
    pub description: Option<String>,
}

pub async fn list(app: &App, actor: &Actor) -> Result<Vec<Endpoint>> {
    actor.may(Right::Settings)?;
    Ok(model::endpoints(&mut *app.conn().await?, actor.org_id).await?)
}

pub async fn create(app: &App, actor: &Actor, wanted: Wanted) -> Result<(Endpoint, Secret)> {
    actor.may(Right::Settings)?;
    // What it selects is read for them.
    if wanted.selection.is_some() {
        actor.may(Right::Read)?;
    }
    keroxio_auth::service::require_verified(app, actor).await?;
    let id = Uuid::now_v7();
    let (secret, sealed) = app.get::<Vault>()?.fresh(id)?;
    let mut endpoint = Endpoint {
        id,
        org_id: actor.org_id,
        url: String::new(),
        description: None,
        events: Vec::new(),
        selection: None,
        secret: sealed,
        old_secret: None,
        old_until: None,
        failures: 0,
        stopped_at: None,
        created_by: actor.user_id,
        created_at: app.now(),
    };
    let url = wanted.url.clone().unwrap_or_default();
    apply(app, &mut endpoint, Wanted { url: Some(url), ..wanted }).await?;
    let mut tx = app.begin().await?;
    keroxio_auth::service::lock(&mut tx, actor.org_id).await?;
    if model::endpoints(&mut tx, actor.org_id).await?.len() >= MAX_ENDPOINTS {
        return Err(Error::bad_input(
            format!("{MAX_ENDPOINTS} webhooks au plus : retirez-en d'abord."),
            format!("At most {MAX_ENDPOINTS} webhooks: remove some first."),
        ));
    }
    model::insert_endpoint(&mut tx, &endpoint).await?;
    tx.commit().await?;
    Ok((endpoint, secret))
}

async fn apply(app: &App, endpoint: &mut Endpoint, wanted: Wanted) -> Result<()> {
    if let Some(url) = wanted.url {
        app.get::<Sender>()?.check(&url)?;
        endpoint.url = url;
    }
    if let Some(events) = wanted.events {
        if events.is_empty() {
            return Err(Error::bad_input("Choisissez au moins un événement.", "Choose at least one event."));
        }
        endpoint.events = events.into_iter().map(|event| event.name().to_owned()).collect();
        endpoint.events.dedup();
    }
    if let Some(description) = wanted.description {
        endpoint.description = Some(description.chars().take(200).collect()).filter(|text: &String| !text.is_empty());
    }
    if let Some(selection) = wanted.selection {
        endpoint.selection = Some(selection).filter(|selection| !selection.trim().is_empty());
        if let Some(query) = &endpoint.selection {
            let checked = app.get::<Selector>()?.0.check(app, deliver::reader(endpoint), query).await;
            checked.map_err(|why| error::selection(&why))?;
        }
    }
    Ok(())
}

pub async fn update(app: &App, actor: &Actor, id: Uuid, wanted: Wanted) -> Result<Endpoint> {
    actor.may(Right::Settings)?;
    if wanted.selection.is_some() {
        actor.may(Right::Read)?;
    }
    let found = model::endpoints(&mut *app.conn().await?, actor.org_id).await?.into_iter().find(|e| e.id == id);
    let mut checked = found.ok_or_else(error::not_found)?;
    // Looked at before the row is locked: a query may take its time.
    apply(app, &mut checked, wanted).await?;
    let mut tx = app.begin().await?;
    let locked = model::endpoint(&mut tx, actor.org_id, id).await?.ok_or_else(error::not_found)?;
    let endpoint = Endpoint {
        url: checked.url,
        events: checked.events,
        selection: checked.selection,
        description: checked.description,
        ..locked
    };
    model::save_endpoint(&mut tx, &endpoint).await?;
    tx.commit().await?;
    Ok(endpoint)
}

pub async fn remove(app: &App, actor: &Actor, id: Uuid) -> Result<()> {
    actor.may(Right::Settings)?;
    let mut tx = app.begin().await?;
    if !model::delete_endpoint(&mut tx, actor.org_id, id).await? {
        return Err(error::not_found());
    }
    tx.commit().await
}

/// Starts a webhook that has stopped.
pub async fn start(app: &App, actor: &Actor, id: Uuid) -> Result<Endpoint> {
    actor.may(Right::Settings)?;
    let mut tx = app.begin().await?;
    let mut endpoint = model::endpoint(&mut tx, actor.org_id, id).await?.ok_or_else(error::not_found)?;
    (endpoint.stopped_at, endpoint.failures) = (None, 0);
    model::save_endpoint(&mut tx, &endpoint).await?;
    tx.commit().await?;
    Ok(endpoint)
}

/// Makes a new secret; the old one signs too for a day.
pub async fn rotate(app: &App, actor: &Actor, id: Uuid) -> Result<(Endpoint, Secret)> {
    actor.may(Right::Settings)?;
    let mut tx = app.begin().await?;
    let mut endpoint = model::endpoint(&mut tx, actor.org_id, id).await?.ok_or_else(error::not_found)?;
    let (secret, sealed) = app.get::<Vault>()?.fresh(id)?;
    endpoint.old_secret = Some(std::mem::replace(&mut endpoint.secret, sealed));
    endpoint.old_until = Some(app.now() + OVERLAP);
    model::save_endpoint(&mut tx, &endpoint).await?;
    tx.commit().await?;
    Ok((endpoint, secret))
}

pub async fn deliveries(app: &App, actor: &Actor, id: Uuid, page: Page) -> Result<Vec<(Delivery, Event)>> {
    actor.may(Right::Settings)?;
    Ok(model::deliveries(&mut *app.conn().await?, actor.org_id, id, page).await?)
}

async fn running(tx: &mut keroxio_core::Tx, org: Uuid, id: Uuid) -> Result<Endpoint> {
    let endpoint = model::endpoint(tx, org, id).await?.ok_or_else(error::not_found)?;
    if endpoint.stopped_at.is_some() { Err(error::stopped()) } else { Ok(endpoint) }
}

/// Sends an event that says nothing, to try a webhook out.
pub async fn test(app: &App, actor: &Actor, id: Uuid) -> Result<Uuid> {
    actor.may(Right::Settings)?;
    let mut tx = app.begin().await?;
    let endpoint = running(&mut tx, actor.org_id, id).await?;
    let event = Event {
        id: Uuid::now_v7(),
        org_id: actor.org_id,
        name: WebhookEvent::TEST.to_owned(),
        subject_id: endpoint.id,
        facts: json!({ "webhookId": endpoint.id }),
        occurred_at: app.now(),
    };
    model::insert_event(&mut tx, &event).await?;
    note::send(&mut tx, std::iter::once(&endpoint), &[event.id]).await?;
    tx.commit().await?;
    Ok(event.id)
}

/// Sends events again: one, or those of a time that the webhook asks for.
pub async fn replay(
    app: &App,
    actor: &Actor,
    id: Uuid,
    event: Option<Uuid>,
    (from, to): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
) -> Result<usize> {
    actor.may(Right::Settings)?;
    app.admit(Queue::Outbound, actor.org_id).await?;
    // Before the bucket: what is not theirs answers the same however often they ask.
    model::endpoint(&mut *app.conn().await?, actor.org_id, id).await?.ok_or_else(error::not_found)?;
    app.take(&format!("replay:{}", actor.org_id.simple()), REPLAYS, 1.0).await.or_wait()?;
    let mut tx = app.begin().await?;
    let endpoint = running(&mut tx, actor.org_id, id).await?;
    let events = match (event, from) {
        (Some(event), None) => {
            let found = model::event(&mut tx, actor.org_id, event).await?;
            vec![found.ok_or_else(|| Error::not_found("Événement", "Event"))?]
        }
        (None, Some(from)) => {
            let time = (from, to.unwrap_or_else(|| app.now()));
            model::events_between(&mut tx, actor.org_id, &endpoint.events, time, MAX_REPLAYED).await?
        }
        _ => {
            return Err(Error::bad_input(
                "Donnez eventId, ou from et au besoin to.",
                "Give eventId, or from and to if needed.",
            ));
        }
    };
    let ids: Vec<Uuid> = events.iter().map(|event| event.id).collect();
    let sent = note::send(&mut tx, std::iter::once(&endpoint), &ids).await?;
    tx.commit().await?;
    Ok(sent)
}
