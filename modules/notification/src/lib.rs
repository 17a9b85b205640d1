#![doc = include_str!("../README.md")]

mod graphql;
mod jobs;
mod kinds;
pub mod letters;
mod model;
mod readers;
pub mod service;
mod settings_graphql;
mod subscription;
mod tables;

use async_graphql::MergedObject;

pub use kinds::{NotificationChannel, NotificationKind};
pub use service::Notice;
pub use subscription::NotificationSubscription as Subscription;

#[derive(MergedObject, Default)]
#[graphql(name = "NotificationQueries")]
pub struct Query(graphql::NotificationQuery, settings_graphql::SettingsQuery);

#[derive(MergedObject, Default)]
#[graphql(name = "NotificationMutations")]
pub struct Mutation(graphql::NotificationMutation, settings_graphql::SettingsMutation);

pub struct NotificationModule;
pub const MODULE: NotificationModule = NotificationModule;

impl keroxio_core::Module for NotificationModule {
    fn name(&self) -> &'static str {
        "notification"
    }

    fn jobs(&self, jobs: &mut keroxio_core::JobRegistry) {
        jobs.register::<jobs::EndLetters>().on::<keroxio_email::Unsubscribed, jobs::EndLetters>();
        let digests = jobs::WriteDigests::default();
        jobs.register::<jobs::WriteDigests>().recur(keroxio_core::Recurrence("10 * * * *"), &digests);
        jobs.register::<jobs::Forget>().recur(keroxio_core::Recurrence("25 3 * * *"), &jobs::Forget);
    }
}
