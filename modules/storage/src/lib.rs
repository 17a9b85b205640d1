#![doc = include_str!("../README.md")]

mod budget;
mod declared;
mod error;
mod graphql;
mod http;
mod jobs;
mod jpeg;
mod loaders;
mod model;
pub mod public;
pub mod service;
mod settings;
mod signature;
mod tables;

pub use budget::HeldPhoto;
pub use graphql::{StorageMutation as Mutation, StorageQuery as Query, StoredPhoto};
pub use keroxio_core::NoSubscription as Subscription;
pub use loaders::Objects;
pub use model::Object;
pub use public::{MaskingDecision, PublicUrl};
pub use signature::{SignedLink, Signer};

use keroxio_core::health::Check;

pub struct StorageModule;
pub const MODULE: StorageModule = StorageModule;

impl keroxio_core::Module for StorageModule {
    fn name(&self) -> &'static str {
        "storage"
    }

    fn nodes(&self) -> &'static [(&'static str, &'static str)] {
        &[("Photo", "storage_objects")]
    }

    fn settings(&self) -> &'static [keroxio_core::Setting] {
        declared::ALL
    }

    fn init(&self, env: &keroxio_core::Env, app: &mut keroxio_core::AppBuilder) -> anyhow::Result<()> {
        if let Some((store, probe)) = settings::store(env)? {
            app.provide(store).provide(probe);
            app.check(Check::new("storage", settings::look));
        }
        app.provide(budget::PixelBudget::from_env(env));
        app.provide(signature::Signer::from_env(env));
        Ok(())
    }

    fn jobs(&self, jobs: &mut keroxio_core::JobRegistry) {
        jobs.register::<jobs::DeleteFile>();
        jobs.register::<jobs::EraseFiles>();
        jobs.register::<jobs::SweepFiles>().recur(keroxio_core::Recurrence("10 3 * * *"), &jobs::SweepFiles);
    }

    fn routes(&self) -> Option<axum::Router<keroxio_core::App>> {
        Some(http::routes())
    }
}
