#![doc = include_str!("../README.md")]

mod actor;
mod app;
mod clock;
mod db;
mod declared;
mod env;
mod error;
mod event;
mod features;
mod guard;
pub mod health;
pub mod idempotency;
mod jobs;
mod limits;
mod live;
mod loader;
pub mod metrics;
mod module;
mod page;
pub mod redact;
mod redis;
mod rights;
mod scalars;
mod seal;
pub mod standard_webhooks;
pub mod table;
mod tables;
pub mod telemetry;
mod tenancy;
mod throttle;
mod tls;

pub use actor::{Actor, Authentication, ClientAgent, Credential, RequestContext};
pub use app::{App, AppBuilder};
pub use clock::Clock;
pub use db::{Conn, Pool, Tx, establish};
pub use declared::ALL as SETTINGS;
pub use env::{Env, Secret, Setting};
pub use error::{Error, ErrorCode, GqlError, GqlResult, Result};
pub use event::Event;
pub use features::{Feature, Switch};
pub use guard::{Access, access};
pub use jobs::{
    BackgroundJob, Effects, GivenUp, JobError, JobRegistry, Priority, Provider, Queue, Recurrence, follow, ledger,
    relay, worker,
};
pub use limits::Limits;
pub use live::{Live, Wake};
pub use loader::{Batch, Loaders};
pub use module::{Module, NoMutation, NoQuery, NoSubscription};
pub use page::{MAX_PAGE, Page, connection};
pub use redis::Redis;
pub use rights::{Right, Rights, Role};
pub use scalars::{Money, group_digits};
pub use seal::Sealer;
pub use tenancy::{TenantStream, as_system, as_tenant, tenant_of};
pub use throttle::{Bucket, ClientAddress, Taken};
