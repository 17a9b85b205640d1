use async_graphql::{MergedObject, MergedSubscription};
use diesel_migrations::EmbeddedMigrations;

use crate::{App, AppBuilder, Env, Feature, JobRegistry, Setting};

/// What a module offers to the composition root (`schema/`).
pub trait Module: Send + Sync {
    /// Name of the folder; tables, jobs, events and metrics carry it as a prefix.
    fn name(&self) -> &'static str;

    /// Reads its own settings and provides its services. Missing settings are noted in `env`.
    ///
    /// # Errors
    /// Only for what cannot be noted there.
    fn init(&self, _env: &Env, _app: &mut AppBuilder) -> anyhow::Result<()> {
        Ok(())
    }

    fn jobs(&self, _jobs: &mut JobRegistry) {}

    /// Plain HTTP routes (files, webhooks), mounted at the root.
    fn routes(&self) -> Option<axum::Router<App>> {
        None
    }

    /// Migrations of a module that lives outside this repository; those of the modules inside are
    /// in `migrations/`. Their names carry the module's name after the date.
    fn migrations(&self) -> Option<EmbeddedMigrations> {
        None
    }

    /// Types of the module that have an identifier of their own and belong to an organization, each with a table of its
    /// rows: `node` finds them by it.
    fn nodes(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// Settings that [`Module::init`] reads.
    fn settings(&self) -> &'static [Setting] {
        &[]
    }

    /// Parts of the module that can be turned off while it runs.
    fn features(&self) -> &'static [Feature] {
        &[]
    }

    /// Help texts of the module's metrics.
    fn describe_metrics(&self) {}
}

/// For a module without queries. async-graphql refuses an empty object, but not an empty merged one.
#[derive(MergedObject, Default)]
pub struct NoQuery();

#[derive(MergedObject, Default)]
pub struct NoMutation();

/// For a module without subscriptions (`EmptySubscription` would silence those of other modules).
#[derive(MergedSubscription, Default)]
pub struct NoSubscription();
