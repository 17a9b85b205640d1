//! Slow work: rows in PostgreSQL that are the truth, turns in Redis that say who is next.

mod attempt;
mod claim;
mod desk;
mod end;
mod enqueue;
mod finish;
pub mod follow;
mod housekeeping;
mod job;
pub mod ledger;
mod presence;
mod pressure;
mod registry;
pub mod relay;
mod running;
mod schedule;
mod settings;
mod statement;
mod waiting;
pub mod worker;

pub(crate) use desk::{Desks, Seat};
pub(crate) use housekeeping::register as register_own;
pub(crate) use settings::JobSettings;
pub(crate) use waiting::{Ticket, Waiting};

pub use job::{BackgroundJob, Effects, GivenUp, JobError, Priority, Provider, Queue};
pub use registry::JobRegistry;
pub use schedule::Recurrence;
