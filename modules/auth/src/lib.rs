#![doc = include_str!("../README.md")]

mod accounts;
mod api_keys;
mod attempts;
mod declared;
mod error;
pub mod events;
mod graphql;
mod guests;
mod hashing;
mod http;
mod jobs;
mod keys;
mod links;
mod members;
mod model;
mod organizations;
mod origin;
pub mod oversight;
mod password;
mod second_factor;
mod secrets;
pub mod service;
mod sessions;
mod tables;
pub mod trail;

pub use graphql::{AuditStep, Mutation, Query};
pub use keroxio_core::NoSubscription as Subscription;
pub use model::{Organization, Site, Step, User};

pub struct AuthModule;
pub const MODULE: AuthModule = AuthModule;

impl keroxio_core::Module for AuthModule {
    fn name(&self) -> &'static str {
        "auth"
    }

    fn settings(&self) -> &'static [keroxio_core::Setting] {
        declared::ALL
    }

    fn init(&self, env: &keroxio_core::Env, app: &mut keroxio_core::AppBuilder) -> anyhow::Result<()> {
        app.provide(keys::Keys::read(env));
        app.provide(second_factor::Vault::from_env(env));
        Ok(())
    }

    fn describe_metrics(&self) {
        keroxio_core::metrics::know_events(&[
            "auth.signed_up",
            "auth.guest_began",
            "auth.guest_claimed",
            "auth.member_joined",
        ]);
    }

    fn jobs(&self, jobs: &mut keroxio_core::JobRegistry) {
        jobs.register::<jobs::BeginReset>();
        jobs.register::<jobs::ForgetEnded>().recur(keroxio_core::Recurrence("25 3 * * *"), &jobs::ForgetEnded);
    }

    fn features(&self) -> &'static [keroxio_core::Feature] {
        &[accounts::SIGN_UP, guests::GUESTS]
    }

    fn routes(&self) -> Option<axum::Router<keroxio_core::App>> {
        Some(http::routes())
    }
}
