#![doc = include_str!("../README.md")]

mod adf;
mod aliases;
mod declared;
mod error;
pub mod events;
mod form;
mod graphql;
mod import;
mod inbound;
mod intake;
mod jobs;
mod kinds;
mod loaders;
mod model;
mod post;
mod reach;
mod score;
mod service;
mod settings;
mod stages;
mod tables;

use std::sync::Arc;

use keroxio_publication::PageEnding;

pub use graphql::{CrmMutation as Mutation, CrmQuery as Query, CrmSubscription as Subscription};
pub use model::Contact;
pub use service::contact;

pub struct CrmModule;
pub const MODULE: CrmModule = CrmModule;

impl keroxio_core::Module for CrmModule {
    fn name(&self) -> &'static str {
        "crm"
    }

    fn settings(&self) -> &'static [keroxio_core::Setting] {
        declared::ALL
    }

    fn init(&self, env: &keroxio_core::Env, app: &mut keroxio_core::AppBuilder) -> anyhow::Result<()> {
        app.provide(settings::Inbound::read(env));
        app.provide(settings::FormKey::from_env(env));
        app.provide(post::Desk::default());
        app.provide(PageEnding(Arc::new(form::ending)));
        Ok(())
    }

    fn routes(&self) -> Option<axum::Router<keroxio_core::App>> {
        Some(form::routes().merge(post::routes()))
    }

    fn features(&self) -> &'static [keroxio_core::Feature] {
        &[form::FORMS]
    }

    fn jobs(&self, jobs: &mut keroxio_core::JobRegistry) {
        jobs.register::<jobs::TellMembers>().on::<events::LeadReceived, jobs::TellMembers>();
        jobs.register::<jobs::RemindTasks>().recur(keroxio_core::Recurrence("*/10 * * * *"), &jobs::RemindTasks);
        jobs.register::<jobs::Forget>().recur(keroxio_core::Recurrence("15 3 * * *"), &jobs::Forget);
    }
}
