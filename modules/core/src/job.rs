use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::statement::InsertJobs;
use crate::{App, Env, Error, Event, Result};

/// How long a worker may be silent about a running job before another takes it over.
pub const LEASE: Duration = Duration::from_secs(60);

/// Where a job waits; each queue has its own workers, so that slow inference never delays the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    Default,
    Inference,
}

impl Queue {
    pub const ALL: [Self; 2] = [Self::Default, Self::Inference];

    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Inference => "inference",
        }
    }
}

/// A unit of slow work. Its fields are ids, never rows: the row may change before it runs.
pub trait BackgroundJob: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// `<module>.<verb_object>`; stored in the database and in metrics, so it never changes.
    const NAME: &'static str;
    const QUEUE: Queue = Queue::Default;
    const MAX_ATTEMPTS: i32 = 5;
    /// For one attempt.
    const TIMEOUT: Duration = Duration::from_secs(60);

    /// Does the work. Delivery is at least once, so running twice must do no harm.
    fn run(self, app: App) -> impl Future<Output = Result<(), JobError>> + Send;

    /// Called once when the job is given up, so that whoever waits for it learns why.
    fn gave_up(self, _app: App, _reason: String) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }
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

type Work = Pin<Box<dyn Future<Output = Result<(), JobError>> + Send>>;
type Farewell = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

#[derive(Clone)]
pub(crate) struct Handler {
    pub timeout: Duration,
    pub run: Arc<dyn Fn(App, Value) -> Work + Send + Sync>,
    pub gave_up: Arc<dyn Fn(App, Value, String) -> Farewell + Send + Sync>,
}

type Reaction = Arc<dyn Fn(&Value) -> Result<NewJob> + Send + Sync>;

/// The jobs this executable knows, by name, and which of them react to events.
#[derive(Default, Clone)]
pub struct JobRegistry {
    handlers: HashMap<&'static str, Handler>,
    reactions: HashMap<&'static str, Vec<Reaction>>,
    problems: Vec<String>,
}

impl JobRegistry {
    pub fn register<J: BackgroundJob>(&mut self) -> &mut Self {
        let handler = Handler {
            timeout: J::TIMEOUT,
            run: Arc::new(|app, args| {
                Box::pin(async move {
                    let job = serde_json::from_value::<J>(args).map_err(|e| JobError::Discard(e.into()))?;
                    job.run(app).await
                })
            }),
            gave_up: Arc::new(|app, args, reason| {
                Box::pin(async move {
                    match serde_json::from_value::<J>(args) {
                        Ok(job) => job.gave_up(app, reason).await,
                        Err(_) => Ok(()),
                    }
                })
            }),
        };
        if self.handlers.insert(J::NAME, handler).is_some() {
            self.problems.push(format!("job {} is registered twice", J::NAME));
        }
        self
    }

    /// Enqueues `J` whenever `E` is announced.
    pub fn on<E: Event, J: BackgroundJob + From<E>>(&mut self) -> &mut Self {
        self.reactions.entry(E::NAME).or_default().push(Arc::new(|payload| {
            let event = serde_json::from_value::<E>(payload.clone())?;
            NewJob::of(&J::from(event))
        }));
        self
    }

    pub(crate) fn handler(&self, name: &str) -> Option<&Handler> {
        self.handlers.get(name)
    }

    pub(crate) fn reactions_to(&self, event: &str, payload: &Value) -> Result<Vec<NewJob>> {
        self.reactions.get(event).into_iter().flatten().map(|reaction| reaction(payload)).collect()
    }

    /// Names of every registered job.
    pub fn names(&self) -> Vec<&'static str> {
        self.handlers.keys().copied().collect()
    }

    pub(crate) fn check(&self, env: &Env) {
        for problem in &self.problems {
            env.problem(problem.clone());
        }
    }
}

/// A job about to be written.
pub(crate) struct NewJob {
    name: &'static str,
    queue: Queue,
    max_attempts: i32,
    args: Value,
}

/// A written job, waiting for its commit to be dispatched.
pub(crate) struct QueuedJob {
    pub id: Uuid,
    pub queue: &'static str,
}

impl NewJob {
    pub fn of<J: BackgroundJob>(job: &J) -> Result<Self> {
        Ok(Self { name: J::NAME, queue: J::QUEUE, max_attempts: J::MAX_ATTEMPTS, args: serde_json::to_value(job)? })
    }

    /// Writes rows in one statement. They are born dispatched: the commit is followed at once by
    /// their entries in Redis, and the relay repeats those should they be lost.
    pub async fn insert(jobs: Vec<Self>, conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> Result<Vec<QueuedJob>> {
        let queued: Vec<_> = jobs.iter().map(|job| QueuedJob { id: Uuid::now_v7(), queue: job.queue.name() }).collect();
        let rows = InsertJobs {
            now,
            ids: queued.iter().map(|job| job.id).collect(),
            names: jobs.iter().map(|job| job.name).collect(),
            queues: queued.iter().map(|job| job.queue).collect(),
            max_attempts: jobs.iter().map(|job| job.max_attempts).collect(),
            args: jobs.into_iter().map(|job| job.args).collect(),
        };
        diesel_async::RunQueryDsl::execute(rows, conn).await?;
        Ok(queued)
    }
}

/// A job claimed by this worker.
#[derive(Debug, Queryable)]
pub(crate) struct ClaimedJob {
    pub id: Uuid,
    pub name: String,
    pub args: Value,
    pub attempt: i32,
    pub max_attempts: i32,
}
