#![doc = include_str!("../README.md")]

mod declared;
mod deliver;
mod destination;
mod error;
mod graphql;
mod kinds;
mod model;
mod note;
pub mod selection;
mod service;
mod signature;
mod tables;

use keroxio_crm::events::{LeadMoved, LeadReceived};
use keroxio_images::events::PhotoCleaned;
use keroxio_listing::events::{ListingPrepared, ListingSold, ListingTakenBack};
use keroxio_plates::events::PlateRead;
use keroxio_vehicle::events::{VehicleChanged, VehicleMoved};

pub use graphql::{WebhookMutation as Mutation, WebhookQuery as Query};
pub use keroxio_core::NoSubscription as Subscription;
pub use selection::{Selection, Selector};

pub(crate) const DELIVERIES: &str = "keroxio_webhook_deliveries_total";

pub struct WebhookModule;
pub const MODULE: WebhookModule = WebhookModule;

impl keroxio_core::Module for WebhookModule {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn settings(&self) -> &'static [keroxio_core::Setting] {
        declared::ALL
    }

    fn init(&self, env: &keroxio_core::Env, app: &mut keroxio_core::AppBuilder) -> anyhow::Result<()> {
        app.provide(signature::Vault::from_env(env));
        app.provide(destination::Sender::from_env(env)?);
        Ok(())
    }

    fn describe_metrics(&self) {
        metrics::describe_counter!(
            DELIVERIES,
            "Attempts to deliver an event to a webhook, by outcome (delivered, refused, failed: may be tried again, stopped: not tried)."
        );
        for outcome in ["delivered", "refused", "failed", "stopped"] {
            metrics::counter!(DELIVERIES, "outcome" => outcome).absolute(0);
        }
    }

    fn jobs(&self, jobs: &mut keroxio_core::JobRegistry) {
        jobs.register::<note::NoteEvent>()
            .on::<ListingPrepared, note::NoteEvent>()
            .on::<ListingSold, note::NoteEvent>()
            .on::<ListingTakenBack, note::NoteEvent>()
            .on::<LeadReceived, note::NoteEvent>()
            .on::<LeadMoved, note::NoteEvent>()
            .on::<PhotoCleaned, note::NoteEvent>()
            .on::<PlateRead, note::NoteEvent>()
            .on::<VehicleChanged, note::NoteEvent>()
            .on::<VehicleMoved, note::NoteEvent>();
        jobs.register::<deliver::Deliver>();
        jobs.register::<note::Forget>().recur(keroxio_core::Recurrence("40 3 * * *"), &note::Forget);
    }
}
