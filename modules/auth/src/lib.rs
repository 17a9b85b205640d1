#![doc = include_str!("../README.md")]

mod attempts;
mod error;
pub mod events;
mod graphql;
mod model;
mod password;
pub mod service;
mod tables;
mod token;

pub use graphql::{AuthMutation as Mutation, AuthQuery as Query};
pub use keroxio_core::NoSubscription as Subscription;
pub use model::Organization;

pub struct AuthModule;
pub const MODULE: AuthModule = AuthModule;

impl keroxio_core::Module for AuthModule {
    fn name(&self) -> &'static str {
        "auth"
    }

    fn init(&self, env: &keroxio_core::Env, app: &mut keroxio_core::AppBuilder) -> anyhow::Result<()> {
        let secret = env.required("KEROXIO_SECRET_KEY", "at least 32 random characters, e.g. `openssl rand -hex 32`");
        if !secret.is_empty() && secret.len() < 32 {
            env.problem("KEROXIO_SECRET_KEY has fewer than 32 characters".to_owned());
        }
        app.provide(token::Keys::new(&secret));
        Ok(())
    }
}
