#![doc = include_str!("../README.md")]

mod guard;
mod root_metrics;

use async_graphql::{MergedObject, MergedSubscription};
use keroxio_core::{App, Module};

pub use guard::check_document;

/// The registration of a module is its line in this list.
macro_rules! modules {
    ($($module:ident),* $(,)?) => {
        #[derive(MergedObject, Default)]
        pub struct Query($($module::Query),*);

        #[derive(MergedObject, Default)]
        pub struct Mutation($($module::Mutation),*);

        #[derive(MergedSubscription, Default)]
        pub struct Subscription($($module::Subscription),*);

        pub const MODULES: &[&dyn Module] = &[$(&$module::MODULE),*];
    };
}

use {
    keroxio_auth as auth, keroxio_images as images, keroxio_listing as listing, keroxio_notification as notification,
    keroxio_plates as plates, keroxio_pricing as pricing, keroxio_publication as publication,
    keroxio_storage as storage, keroxio_vehicle as vehicle,
};

modules![storage, auth, plates, images, notification, vehicle, pricing, listing, publication,];

pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

fn builder() -> async_graphql::SchemaBuilder<Query, Mutation, Subscription> {
    async_graphql::Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .limit_depth(15)
        .limit_complexity(2_000)
        .limit_recursive_depth(32)
        .limit_aliases(30)
        .limit_directives(20)
        .disable_suggestions()
}

/// The schema of a running application.
pub fn build(app: App) -> Schema {
    builder().extension(root_metrics::RootMetrics).data(app).finish()
}

/// The schema in the definition language, as committed.
pub fn sdl() -> String {
    builder().finish().sdl()
}
