#![doc = include_str!("../README.md")]

mod declared;
mod error;
mod graphql;
mod http;
mod jobs;
mod model;
pub mod service;
mod settings;
mod signature;
mod stripe;
mod sync;
mod tables;
mod telling;

use keroxio_subscription::events::LimitNear;

pub use graphql::{BillingMutation as Mutation, BillingQuery as Query};
pub use keroxio_core::NoSubscription as Subscription;

/// Events of Stripe, by what became of them.
pub(crate) const WEBHOOKS: &str = "keroxio_billing_webhooks_total";
/// What the nightly look found different, by field.
pub(crate) const DIFFERENCES: &str = "keroxio_billing_differences_total";

pub struct BillingModule;
pub const MODULE: BillingModule = BillingModule;

impl keroxio_core::Module for BillingModule {
    fn name(&self) -> &'static str {
        "billing"
    }

    fn settings(&self) -> &'static [keroxio_core::Setting] {
        declared::ALL
    }

    fn init(&self, env: &keroxio_core::Env, app: &mut keroxio_core::AppBuilder) -> anyhow::Result<()> {
        app.provide(settings::Settings::read(env));
        Ok(())
    }

    fn jobs(&self, jobs: &mut keroxio_core::JobRegistry) {
        jobs.register::<jobs::Sync>();
        jobs.register::<jobs::Note>();
        jobs.register::<jobs::CloseCustomer>();
        jobs.register::<jobs::Reconcile>().recur(keroxio_core::Recurrence("15 2 * * *"), &jobs::Reconcile);
        jobs.register::<telling::TellOfLimit>().on::<LimitNear, telling::TellOfLimit>();
    }

    fn routes(&self) -> Option<axum::Router<keroxio_core::App>> {
        Some(http::routes())
    }

    fn describe_metrics(&self) {
        metrics::describe_counter!(WEBHOOKS, "Events of Stripe, by what became of them.");
        metrics::describe_counter!(DIFFERENCES, "What the nightly look found different from Stripe, by field.");
        for outcome in
            ["accepted", "repeated", "not_ours", "forged", "unreadable", "too_large", "not_configured", "failed"]
        {
            metrics::counter!(WEBHOOKS, "outcome" => outcome).absolute(0);
        }
        for field in ["status", "price", "period_end", "cancel_at", "invoice_status", "invoice_paid", "deleted"] {
            metrics::counter!(DIFFERENCES, "field" => field).absolute(0);
        }
    }
}
