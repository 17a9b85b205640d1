//! The jobs an executable knows, by name.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::enqueue::NewJob;
use super::job::{BackgroundJob, Effects, GivenUp, JobError, Provider, Queue};
use super::schedule::{Recurrence, Schedule};
use crate::{App, Env, Event, Result};

type Work = Pin<Box<dyn Future<Output = Result<Effects, JobError>> + Send>>;
type Farewell = Pin<Box<dyn Future<Output = Result<Effects>> + Send>>;

#[derive(Clone)]
pub(crate) struct Handler {
    pub queue: Queue,
    pub timeout: Duration,
    pub keep: Duration,
    pub cancellable: bool,
    pub provider: Option<Provider>,
    pub run: Arc<dyn Fn(App, Value) -> Work + Send + Sync>,
    pub gave_up: Arc<dyn Fn(App, Value, GivenUp) -> Farewell + Send + Sync>,
}

type Reaction = Arc<dyn Fn(&Value) -> Result<NewJob> + Send + Sync>;

/// The jobs this executable knows, by name, which of them react to events, and which recur.
#[derive(Default, Clone)]
pub struct JobRegistry {
    handlers: HashMap<&'static str, Handler>,
    reactions: HashMap<&'static str, Vec<Reaction>>,
    schedules: Vec<Schedule>,
    problems: Vec<String>,
}

impl JobRegistry {
    pub fn register<J: BackgroundJob>(&mut self) -> &mut Self {
        let handler = Handler {
            queue: J::QUEUE,
            timeout: J::TIMEOUT,
            keep: J::KEEP,
            cancellable: J::CANCELLABLE,
            provider: J::PROVIDER,
            run: Arc::new(|app, args| {
                Box::pin(async move {
                    let job = serde_json::from_value::<J>(args).map_err(|e| JobError::Discard(e.into()))?;
                    job.run(app).await
                })
            }),
            gave_up: Arc::new(|app, args, why| {
                Box::pin(async move {
                    match serde_json::from_value::<J>(args) {
                        Ok(job) => job.gave_up(app, why).await,
                        Err(_) => Ok(Effects::none()),
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

    /// Enqueues `job` again and again. Every worker knows the schedule; a slot is fired by one of them.
    pub fn recur<J: BackgroundJob>(&mut self, recurrence: Recurrence, job: &J) -> &mut Self {
        match Schedule::new(recurrence, job) {
            Ok(schedule) => self.schedules.push(schedule),
            Err(e) => self.problems.push(format!("job {} cannot recur: {e}", J::NAME)),
        }
        self
    }

    pub(crate) fn handler(&self, name: &str) -> Option<&Handler> {
        self.handlers.get(name)
    }

    pub(crate) fn schedules(&self) -> &[Schedule] {
        &self.schedules
    }

    pub(crate) fn reactions_to(&self, event: &str, payload: &Value) -> Result<Vec<NewJob>> {
        self.reactions.get(event).into_iter().flatten().map(|reaction| reaction(payload)).collect()
    }

    /// Services of others that jobs call, once each.
    pub(crate) fn providers(&self) -> Vec<Provider> {
        let mut providers: Vec<Provider> = Vec::new();
        for provider in self.handlers.values().filter_map(|handler| handler.provider) {
            if !providers.iter().any(|known| known.name == provider.name) {
                providers.push(provider);
            }
        }
        providers
    }

    /// The name as a metric label: from a closed set, whatever a row says.
    pub(crate) fn label(&self, name: &str) -> &'static str {
        self.handlers.keys().copied().find(|known| *known == name).unwrap_or("unknown")
    }

    /// The queue of a job as a metric label.
    pub(crate) fn queue_label(&self, name: &str) -> &'static str {
        self.handlers.get(name).map_or("unknown", |handler| handler.queue.name())
    }

    /// Events that something reacts to.
    pub(crate) fn events(&self) -> Vec<&'static str> {
        self.reactions.keys().copied().collect()
    }

    pub(crate) fn check(&self, env: &Env) {
        for problem in &self.problems {
            env.problem(problem.clone());
        }
    }
}
