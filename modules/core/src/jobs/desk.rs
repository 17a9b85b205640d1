//! The short way: a worker of this process that waits with nothing to do takes a new job as soon as it is
//! committed. The row is written as already claimed, which saves Redis, the claim, and two processes waking up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, mpsc};
use uuid::Uuid;

use super::claim::ClaimedJob;
use super::enqueue::NewJob;
use super::job::Queue;

/// What a worker is told at its desk.
#[derive(Debug)]
pub(crate) enum Told {
    Begin(Box<ClaimedJob>, OwnedSemaphorePermit),
    /// A row that may exist in the worker's name and that nobody will begin.
    Perhaps(Uuid),
}

/// Free places of a reader while it waits for tickets; empty while it has any.
#[derive(Clone, Default)]
pub(crate) struct Places(Arc<Mutex<Vec<OwnedSemaphorePermit>>>);

impl Places {
    pub fn offer(&self, places: Vec<OwnedSemaphorePermit>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = places;
    }

    /// Those that were not taken.
    pub fn withdraw(&self) -> Vec<OwnedSemaphorePermit> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take(&self) -> Option<OwnedSemaphorePermit> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

struct Desk {
    worker: Uuid,
    places: Places,
    told: mpsc::UnboundedSender<Told>,
}

/// The desks of this process, one a queue.
#[derive(Clone, Default)]
pub(crate) struct Desks(Arc<Mutex<HashMap<Queue, Desk>>>);

impl Desks {
    pub fn open(&self, queue: Queue, worker: Uuid, places: Places, told: mpsc::UnboundedSender<Told>) {
        let desk = Desk { worker, places, told };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(queue, desk);
    }

    pub fn close(&self, worker: Uuid) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, desk| desk.worker != worker);
    }

    /// A place for this job, if one is free and nothing speaks against taking it at once.
    pub fn seat(&self, job: &NewJob) -> Option<Seat> {
        if job.ordering_key.is_some() || job.unique_key.is_some() || job.provider.is_some() {
            return None;
        }
        let desks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let desk = desks.get(&Queue::named(&job.queue)?)?;
        let place = desk.places.take()?;
        let claimed = ClaimedJob {
            worker: desk.worker,
            id: Uuid::nil(),
            name: job.name.clone(),
            args: job.args.clone(),
            attempt: 1,
            max_attempts: job.max_attempts,
            org_id: job.org_id,
            ordering_key: None,
            provider: None,
            batch: None,
            cancelled: false,
            trace: job.trace.clone(),
        };
        Some(Seat { job: Some((claimed, place)), told: desk.told.clone() })
    }
}

/// A place held for a job until its commit. Dropped before [`Seat::begin`], the row may or may not exist.
pub(crate) struct Seat {
    job: Option<(ClaimedJob, OwnedSemaphorePermit)>,
    told: mpsc::UnboundedSender<Told>,
}

impl Seat {
    pub fn worker(&self) -> Option<Uuid> {
        self.job.as_ref().map(|(job, _)| job.worker)
    }

    /// The row's id; from now on it may exist.
    pub fn name(&mut self, id: Uuid) {
        if let Some((job, _)) = &mut self.job {
            job.id = id;
        }
    }

    /// The row is committed.
    pub fn begin(mut self) {
        if let Some((job, place)) = self.job.take() {
            // A worker that has left meanwhile has handed everything in its name back, or will be found.
            let _ = self.told.send(Told::Begin(Box::new(job), place));
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some((job, _)) = self.job.take()
            && !job.id.is_nil()
        {
            let _ = self.told.send(Told::Perhaps(job.id));
        }
    }
}
