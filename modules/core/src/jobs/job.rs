//! What a job is: its name, where it waits, how it is tried and how it ends.

use std::future::Future;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::{App, Error, Result, Tx};

/// Where a job waits; each queue has its own workers, so that slow inference never delays the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    Default,
    Inference,
    /// Calls to other companies' services.
    Outbound,
}

impl Queue {
    pub const ALL: [Self; 3] = [Self::Default, Self::Inference, Self::Outbound];

    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Inference => "inference",
            Self::Outbound => "outbound",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|queue| queue.name() == name)
    }
}

/// Within a queue, all of a higher priority goes before any of a lower one; within a priority,
/// organizations take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i16)]
pub enum Priority {
    /// Somebody is waiting for it.
    High = 0,
    Normal = 1,
    /// Imports and housekeeping.
    Low = 2,
}

/// A service of somebody else that bears only so many calls at once, over all our workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provider {
    pub name: &'static str,
    pub at_once: i64,
}

/// A unit of slow work. Its fields are ids, never rows: the row may change before it runs.
pub trait BackgroundJob: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// `<module>.<verb_object>`; stored in the database and in metrics, so it never changes.
    const NAME: &'static str;
    const QUEUE: Queue = Queue::Default;
    const PRIORITY: Priority = Priority::Normal;
    const MAX_ATTEMPTS: i32 = 5;
    /// For one attempt.
    const TIMEOUT: Duration = Duration::from_secs(60);
    /// How long the row of an ended job can still be looked up; jobs that nobody follows need none.
    const KEEP: Duration = Duration::ZERO;
    /// Whether its organization may call it off.
    const CANCELLABLE: bool = false;
    const PROVIDER: Option<Provider> = None;

    /// Whose turn it takes and who may follow it; `None` for the installation's own housekeeping.
    fn org_id(&self) -> Option<Uuid>;

    /// Jobs of one key run one after the other, in the order in which they were enqueued. A job that
    /// waits for its next attempt holds up the ones behind it; one that is given up does not.
    fn ordering_key(&self) -> Option<String> {
        None
    }

    /// While a job of this key waits, enqueueing an equal one does nothing. Once it has started a new
    /// one is accepted, because it may have read what has changed since.
    fn unique_key(&self) -> Option<String> {
        None
    }

    /// Does the work and answers with its effects, uncommitted: they become true together with the end
    /// of the job, so that each is applied once although the work may be done twice.
    fn run(self, app: App) -> impl Future<Output = Result<Effects, JobError>> + Send;

    /// Called when the job is given up or called off, so that whoever waits for it learns why. Its
    /// effects become true together with that end.
    fn gave_up(self, _app: App, _why: GivenUp) -> impl Future<Output = Result<Effects>> + Send {
        async { Ok(Effects::none()) }
    }
}

/// What a job wants to be true once it has ended.
#[must_use]
#[derive(Default)]
pub struct Effects(pub(crate) Option<Box<Tx>>);

impl Effects {
    /// For a job that found nothing left to do.
    pub fn none() -> Self {
        Self(None)
    }
}

impl From<Tx> for Effects {
    fn from(tx: Tx) -> Self {
        Self(Some(Box::new(tx)))
    }
}

/// Why a job ended without success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenUp {
    /// The last attempt's reason, for the log and the operator, not for users.
    Failed(String),
    Cancelled,
}

/// Why an attempt failed, and whether another makes sense.
#[derive(Debug)]
pub enum JobError {
    Retry(anyhow::Error),
    Discard(anyhow::Error),
}

impl JobError {
    /// `lasting`: no later attempt can end otherwise.
    pub fn new(lasting: bool, error: impl Into<anyhow::Error>) -> Self {
        if lasting { Self::Discard(error.into()) } else { Self::Retry(error.into()) }
    }
}

impl From<Error> for JobError {
    fn from(error: Error) -> Self {
        Self::Retry(error.into())
    }
}

impl From<diesel::result::Error> for JobError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Retry(error.into())
    }
}
