//! Story tests at the GraphQL boundary, and the rules of the architecture.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod architecture;
mod auth;
mod billing;
mod cluster;
mod crm;
mod documents;
mod erasure;
mod extension;
mod feeds;
mod images;
mod integrators;
mod jobs;
mod journey;
mod lab;
mod limits;
mod lists;
mod matrix;
mod messages;
mod migrations;
mod models;
mod ops;
mod outage;
mod oversight;
mod papers;
mod plans;
mod plates;
mod prices;
mod privacy;
mod protocol;

mod publication;
mod runner;
mod s3;
mod stock;

mod store;
mod texts;
mod tls;
mod uploads;
mod vehicles;
mod webhooks;
mod worker;
