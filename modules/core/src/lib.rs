#![doc = include_str!("../README.md")]

mod actor;
mod app;
mod clock;
mod db;
mod env;
mod error;
mod event;
mod finish;
mod guard;
mod job;
pub mod ledger;
mod live;
pub mod metrics;
mod module;
mod page;
mod redis;
pub mod relay;
mod scalars;
mod statement;
mod tables;
pub mod telemetry;
pub mod worker;

pub use actor::{Actor, Authentication, RequestContext, Role};
pub use app::{App, AppBuilder};
pub use clock::Clock;
pub use db::{Conn, Pool, Tx};
pub use env::{Env, Secret};
pub use error::{Error, ErrorCode, GqlError, GqlResult, Result};
pub use event::Event;
pub use guard::RequireUser;
pub use job::{BackgroundJob, JobError, JobRegistry, Queue};
pub use live::Live;
pub use module::{Module, NoMutation, NoQuery, NoSubscription};
pub use page::{MAX_PAGE, Page, connection};
pub use redis::Redis;
pub use scalars::{Money, group_digits};
