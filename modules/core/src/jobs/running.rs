//! The jobs a worker holds, from the claim until their outcome is saved.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

#[derive(Clone, Default)]
pub(crate) struct Running(Arc<Mutex<HashMap<Uuid, CancellationToken>>>);

impl Running {
    fn jobs(&self) -> MutexGuard<'_, HashMap<Uuid, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

    pub fn ids(&self) -> Vec<Uuid> {
        self.jobs().keys().copied().collect()
    }

    /// Keeps the ids that are not held here: a ticket may come twice.
    pub fn without(&self, ids: Vec<Uuid>) -> Vec<Uuid> {
        let jobs = self.jobs();
        ids.into_iter().filter(|id| !jobs.contains_key(id)).collect()
    }
}
