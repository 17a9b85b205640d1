#![doc = include_str!("../README.md")]

mod credit;
mod error;
mod graphql;
mod http;
mod input;
mod issue;
mod kinds;
mod loaders;
mod model;
mod papers;
mod register;
mod sale_file;
mod sellers;
mod tables;
mod verify;

pub use keroxio_core::NoSubscription as Subscription;

#[derive(async_graphql::MergedObject, Default)]
#[graphql(name = "PaperAndRegisterQuery")]
pub struct Query(graphql::PaperQuery, graphql::RegisterQuery);

#[derive(async_graphql::MergedObject, Default)]
#[graphql(name = "PaperAndRegisterMutation")]
pub struct Mutation(graphql::PaperMutation, graphql::RegisterMutation);

pub struct DocumentsModule;
pub const MODULE: DocumentsModule = DocumentsModule;

impl keroxio_core::Module for DocumentsModule {
    fn name(&self) -> &'static str {
        "documents"
    }

    fn routes(&self) -> Option<axum::Router<keroxio_core::App>> {
        Some(http::routes())
    }

    fn describe_metrics(&self) {
        keroxio_core::metrics::know_events(&[issue::ISSUED]);
    }
}
