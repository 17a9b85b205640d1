#![doc = include_str!("../README.md")]

mod graphql;
mod jobs;
mod service;
mod tables;

use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use keroxio_core::{App, AppBuilder, Env, JobRegistry};

pub use graphql::{FixtureMutation as Mutation, FixtureQuery as Query, FixtureSubscription as Subscription};

/// How notes are signed; from the setting `FIXTURE_SIGNATURE`.
#[derive(Clone)]
pub struct Signature(pub String);

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

pub struct FixtureModule;
pub const MODULE: FixtureModule = FixtureModule;

impl keroxio_core::Module for FixtureModule {
    fn name(&self) -> &'static str {
        "fixture"
    }

    fn init(&self, env: &Env, app: &mut AppBuilder) -> anyhow::Result<()> {
        app.provide(Signature(env.required("FIXTURE_SIGNATURE", "how notes are signed")));
        Ok(())
    }

    fn jobs(&self, jobs: &mut JobRegistry) {
        jobs.register::<jobs::SignNote>().on::<service::NoteWritten, jobs::SignNote>();
    }

    fn routes(&self) -> Option<axum::Router<App>> {
        Some(axum::Router::new().route("/fixture", axum::routing::get(|| async { "a route of the fixture module" })))
    }

    fn migrations(&self) -> Option<EmbeddedMigrations> {
        Some(MIGRATIONS)
    }
}
