//! From what happened to what is sent.

use chrono::Duration;
use keroxio_core::{App, BackgroundJob, Effects, JobError, Priority, Result, Tx};
use keroxio_crm::events::{LeadMoved, LeadReceived};
use keroxio_images::events::PhotoCleaned;
use keroxio_listing::events::{ListingPrepared, ListingSold, ListingTakenBack};
use keroxio_plates::events::PlateRead;
use keroxio_vehicle::events::{VehicleChanged, VehicleMoved};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::deliver::Deliver;
use crate::kinds::WebhookEvent;
use crate::model::{self, Delivery, Endpoint, Event};

/// How long events can be sent again, in days.
const KEPT: i64 = 30;

/// Notes an event for the webhooks of its organization. Its id is made in the transaction that made it true.
#[derive(Serialize, Deserialize)]
pub struct NoteEvent {
    id: Uuid,
    org_id: Uuid,
    name: String,
    subject_id: Uuid,
    facts: Value,
}

impl NoteEvent {
    fn new(event: WebhookEvent, org_id: Uuid, subject_id: Uuid, facts: Value) -> Self {
        Self { id: Uuid::now_v7(), org_id, name: event.name().to_owned(), subject_id, facts }
    }
}

impl From<ListingPrepared> for NoteEvent {
    fn from(event: ListingPrepared) -> Self {
        let facts = json!({ "listingId": event.listing_id });
        Self::new(WebhookEvent::ListingPrepared, event.org_id, event.listing_id, facts)
    }
}

impl From<ListingSold> for NoteEvent {
    fn from(event: ListingSold) -> Self {
        let facts = json!({ "listingId": event.listing_id, "soldAt": event.sold_at });
        Self::new(WebhookEvent::ListingSold, event.org_id, event.listing_id, facts)
    }
}

impl From<ListingTakenBack> for NoteEvent {
    fn from(event: ListingTakenBack) -> Self {
        let facts = json!({ "listingId": event.listing_id });
        Self::new(WebhookEvent::ListingTakenBack, event.org_id, event.listing_id, facts)
    }
}

impl From<LeadReceived> for NoteEvent {
    fn from(event: LeadReceived) -> Self {
        let facts = json!({ "leadId": event.lead_id, "source": event.source, "merged": event.is_again });
        Self::new(WebhookEvent::LeadReceived, event.org_id, event.lead_id, facts)
    }
}

impl From<LeadMoved> for NoteEvent {
    fn from(event: LeadMoved) -> Self {
        let facts = json!({ "leadId": event.lead_id, "from": event.from, "to": event.to });
        Self::new(WebhookEvent::LeadMoved, event.org_id, event.lead_id, facts)
    }
}

impl From<PhotoCleaned> for NoteEvent {
    fn from(event: PhotoCleaned) -> Self {
        let facts = json!({ "photoId": event.photo_id });
        Self::new(WebhookEvent::ImagesCleaned, event.org_id, event.photo_id, facts)
    }
}

impl From<PlateRead> for NoteEvent {
    fn from(event: PlateRead) -> Self {
        let facts = json!({ "readingId": event.reading_id, "photoId": event.photo_id });
        Self::new(WebhookEvent::PlatesRead, event.org_id, event.reading_id, facts)
    }
}

impl From<VehicleChanged> for NoteEvent {
    fn from(event: VehicleChanged) -> Self {
        let facts = json!({ "vehicleId": event.vehicle_id });
        Self::new(WebhookEvent::VehicleChanged, event.org_id, event.vehicle_id, facts)
    }
}

impl From<VehicleMoved> for NoteEvent {
    fn from(event: VehicleMoved) -> Self {
        let facts = json!({ "vehicleId": event.vehicle_id, "from": event.from, "to": event.to });
        Self::new(WebhookEvent::VehicleMoved, event.org_id, event.vehicle_id, facts)
    }
}

impl BackgroundJob for NoteEvent {
    const NAME: &'static str = "webhook.note";

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut tx = app.begin().await?;
        let endpoints = model::endpoints(&mut tx, self.org_id).await?;
        if endpoints.is_empty() {
            return Ok(Effects::none());
        }
        let event = Event {
            id: self.id,
            org_id: self.org_id,
            name: self.name,
            subject_id: self.subject_id,
            facts: self.facts,
            occurred_at: app.now(),
        };
        if model::insert_event(&mut tx, &event).await? {
            let asked = endpoints.iter().filter(|e| e.stopped_at.is_none() && e.events.contains(&event.name));
            send(&mut tx, asked, &[event.id]).await?;
        }
        Ok(tx.into())
    }
}

/// Sends events to webhooks, in a job for each delivery.
pub async fn send<'a>(tx: &mut Tx, to: impl Iterator<Item = &'a Endpoint>, events: &[Uuid]) -> Result<usize> {
    let now = tx.app().now();
    let delivery = |endpoint: &Endpoint, event: &Uuid| Delivery {
        id: Uuid::now_v7(),
        org_id: endpoint.org_id,
        endpoint_id: endpoint.id,
        event_id: *event,
        attempt: 0,
        state: "pending".to_owned(),
        status: None,
        error: None,
        created_at: now,
        tried_at: None,
        next_at: Some(now),
    };
    let deliveries: Vec<Delivery> =
        to.flat_map(|endpoint| events.iter().map(move |event| delivery(endpoint, event))).collect();
    if deliveries.is_empty() {
        return Ok(0);
    }
    model::insert_deliveries(tx, &deliveries).await?;
    let jobs: Vec<_> =
        deliveries.iter().map(|delivery| Deliver { delivery_id: delivery.id, org_id: delivery.org_id }).collect();
    tx.enqueue_all(&jobs).await?;
    Ok(deliveries.len())
}

/// Forgets events that can no longer be sent again.
#[derive(Serialize, Deserialize)]
pub struct Forget;

impl BackgroundJob for Forget {
    const NAME: &'static str = "webhook.forget";
    const PRIORITY: Priority = Priority::Low;

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut tx = app.begin().await?;
        model::forget(&mut tx, app.now() - Duration::days(KEPT)).await?;
        Ok(tx.into())
    }
}
