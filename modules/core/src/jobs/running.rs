//! The jobs a worker holds, from the claim until their outcome is saved.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

#[derive(Clone, Default)]
pub(crate) struct Running {
    held: Arc<Mutex<HashMap<Uuid, CancellationToken>>>,
    doubtful: Arc<Mutex<Vec<(Uuid, Instant)>>>,
}

/// A transaction whose end nobody has heard of is over after this long.
const SURELY_OVER: Duration = Duration::from_secs(120);

impl Running {
    fn jobs(&self) -> MutexGuard<'_, HashMap<Uuid, CancellationToken>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers the token by which the job can be called off.
    pub fn add(&self, id: Uuid) -> CancellationToken {
        self.jobs().entry(id).or_default().clone()
    }

    pub fn remove(&self, ids: impl Iterator<Item = Uuid>) {
        let mut jobs = self.jobs();
        ids.for_each(|id| drop(jobs.remove(&id)));
    }

    pub fn cancel(&self, id: Uuid) {
        if let Some(token) = self.jobs().get(&id) {
            token.cancel();
        }
    }

    /// Remembers a row that may exist in this worker's name without being held, or may yet come to exist.
    pub fn doubt(&self, id: Uuid) {
        self.doubtful.lock().unwrap_or_else(PoisonError::into_inner).push((id, Instant::now()));
    }

    /// These need not be looked for any more.
    pub fn settle(&self, ids: &[Uuid]) {
        self.doubtful.lock().unwrap_or_else(PoisonError::into_inner).retain(|(id, _)| !ids.contains(id));
    }

    /// Rows to look for.
    pub fn doubts(&self) -> Vec<Uuid> {
        let mut doubtful = self.doubtful.lock().unwrap_or_else(PoisonError::into_inner);
        doubtful.retain(|(_, since)| since.elapsed() < SURELY_OVER);
        doubtful.iter().map(|(id, _)| *id).collect()
    }

    pub fn ids(&self) -> Vec<Uuid> {
        self.jobs().keys().copied().collect()
    }

    pub fn holds(&self, id: Uuid) -> bool {
        self.jobs().contains_key(&id)
    }
}
