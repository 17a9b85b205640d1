#![doc = include_str!("../README.md")]

mod graphql;
mod model;
pub mod service;
mod subscription;
mod tables;

pub use graphql::{NotificationMutation as Mutation, NotificationQuery as Query};
pub use service::Notice;
pub use subscription::NotificationSubscription as Subscription;

pub struct NotificationModule;
pub const MODULE: NotificationModule = NotificationModule;

impl keroxio_core::Module for NotificationModule {
    fn name(&self) -> &'static str {
        "notification"
    }
}
