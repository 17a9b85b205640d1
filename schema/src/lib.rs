#![doc = include_str!("../README.md")]

mod audit;
mod cost;
mod guard;
mod introspection;
mod node;
mod omitted;
mod root;
mod root_metrics;
mod selection;
mod variables;

use async_graphql::{ObjectType, SchemaBuilder, SubscriptionType};

pub use audit::Audit;
pub use cost::Cost;
pub use guard::{UPLOAD_MARKER, Unreadable, read};
pub use introspection::{introspections, only_introspects};
pub use node::Node;
pub use omitted::leave_out_omitted;
pub use root::{Root, Shared, share};
pub use root_metrics::RootMetrics;
pub use selection::SchemaSelection;
pub use variables::check_variables;

// What `compose!` names in the crate that calls it.
#[doc(hidden)]
pub use {async_graphql, keroxio_core};

/// Stitches modules into one schema; the registration of a module is its name in this list.
///
/// Gives `Query`, `Mutation`, `Subscription`, `Schema`, `MODULES`, `build`, `sdl` and `sdl_by_module`
/// where it is called. The calling crate needs `async-graphql` among its dependencies.
#[macro_export]
macro_rules! compose {
    ($($module:ident),* $(,)?) => {
        #[derive($crate::async_graphql::MergedObject, Default)]
        pub struct Query($($module::Query),*);

        #[derive($crate::async_graphql::MergedObject, Default)]
        pub struct Mutation($($module::Mutation),*);

        #[derive($crate::async_graphql::MergedSubscription, Default)]
        pub struct Subscription($($module::Subscription),*);

        pub type Schema = $crate::async_graphql::Schema<$crate::Root<Query>, $crate::Root<Mutation>, $crate::Root<Subscription>>;

        pub const MODULES: &[&dyn $crate::keroxio_core::Module] = &[$(&$module::MODULE),*];

        /// The schema of a running application.
        pub fn build(app: $crate::keroxio_core::App) -> Schema {
            let roots = ($crate::Root::<Query>::default(), $crate::Root::<Mutation>::default(), $crate::Root::<Subscription>::default());
            $crate::builder(roots).extension($crate::RootMetrics).extension($crate::Audit).extension($crate::Cost).data(app).finish()
        }

        /// The schema in the definition language.
        pub fn sdl() -> String {
            $crate::builder((Query::default(), Mutation::default(), Subscription::default())).finish().sdl()
        }

        /// What each module brings by itself. async-graphql lets a later module silently shadow a root
        /// field of an earlier one, so a test compares their sum with the whole.
        pub fn sdl_by_module() -> Vec<(&'static str, String)> {
            vec![$((stringify!($module), $crate::builder((
                $module::Query::default(), $module::Mutation::default(), $module::Subscription::default(),
            )).finish().sdl())),*]
        }
    };
}

use {
    keroxio_admin as admin, keroxio_auth as auth, keroxio_billing as billing, keroxio_crm as crm,
    keroxio_documents as documents, keroxio_email as email, keroxio_images as images, keroxio_jobs as jobs,
    keroxio_listing as listing, keroxio_notification as notification, keroxio_plates as plates,
    keroxio_pricing as pricing, keroxio_privacy as privacy, keroxio_publication as publication,
    keroxio_storage as storage, keroxio_subscription as subscription, keroxio_vehicle as vehicle,
    keroxio_webhook as webhook,
};

compose![
    jobs,
    subscription,
    storage,
    email,
    auth,
    plates,
    images,
    notification,
    billing,
    vehicle,
    pricing,
    listing,
    publication,
    crm,
    documents,
    webhook,
    privacy,
    admin,
    node
];

/// A schema builder with the limits that every Keroxio schema has.
pub fn builder<Q, M, S>((query, mutation, subscription): (Q, M, S)) -> SchemaBuilder<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    async_graphql::Schema::build(query, mutation, subscription)
        .limit_depth(15)
        .limit_complexity(2_000)
        .limit_recursive_depth(32)
        .limit_aliases(30)
        .limit_directives(20)
        .disable_suggestions()
}
