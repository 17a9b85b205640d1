#![doc = include_str!("../README.md")]

pub mod cli;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod eval;
mod explorer;
pub mod graphql;
pub mod jobs;
mod letter_pages;
pub mod listen;
pub mod migrate;
pub mod models;
pub mod ops;
pub mod origins;
pub mod plugins;
pub mod serve;
pub mod settings;
pub mod users;
