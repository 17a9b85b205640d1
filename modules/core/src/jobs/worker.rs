//! Takes tickets, claims their rows and runs them.

use std::sync::Arc;
use std::time::Duration;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use fred::prelude::ClientLike as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::attempt::{Interrupts, execute};
use super::claim::{ClaimedJob, claim, claim_patiently};
use super::desk::{Places, Told};
use super::finish::{self, Finisher};
use super::job::Queue;
use super::running::Running;
use super::{presence, relay};
use crate::tables::core_jobs;
use crate::{App, Result};

/// How long a reader waits for a ticket before it looks whether it should stop.
const WAIT_SECONDS: f64 = 1.0;
/// Most jobs claimed in one statement: a commit costs the same for one row and for a hundred.
const GROUP_OF: usize = 100;

/// How many jobs of each queue run at once in this process.
#[derive(Debug, Clone, Copy)]
pub struct Concurrency {
    pub default: usize,
    pub inference: usize,
    pub outbound: usize,
}

impl Concurrency {
    fn of(self, queue: Queue) -> usize {
        match queue {
            Queue::Default => self.default,
            Queue::Inference => self.inference,
            Queue::Outbound => self.outbound,
        }
        .max(1)
    }
}

/// Runs relay and workers until stopped. Running jobs may then end within the deadline of the settings;
/// the others are interrupted and handed back.
pub async fn run(app: App, concurrency: Concurrency, stop: CancellationToken) {
    let relay = tokio::spawn(relay::run(app.clone(), stop.clone()));
    while !stop.is_cancelled() {
        match presence::register(&app).await {
            Ok(id) => Worker::new(app.clone(), id).run(concurrency, &stop).await,
            Err(e) => {
                tracing::warn!("worker cannot start yet: {e}");
                pause(&stop).await;
            }
        }
    }
    let _ = relay.await;
}

async fn pause(end: &CancellationToken) {
    tokio::select! {
        () = end.cancelled() => {}
        () = tokio::time::sleep(Duration::from_millis(500)) => {}
    }
}

/// One life of a worker: until it is stopped or taken for dead.
#[derive(Clone)]
struct Worker {
    app: App,
    id: Uuid,
    running: Running,
    tasks: TaskTracker,
    /// No new jobs.
    ending: CancellationToken,
    /// No jobs at all: what runs is interrupted.
    hurry: CancellationToken,
}

impl Worker {
    fn new(app: App, id: Uuid) -> Self {
        let ending = CancellationToken::new();
        Self {
            app,
            id,
            running: Running::default(),
            tasks: TaskTracker::new(),
            ending,
            hurry: CancellationToken::new(),
        }
    }

    async fn run(self, concurrency: Concurrency, stop: &CancellationToken) {
        let lost = CancellationToken::new();
        let gone = CancellationToken::new();
        let alive = presence::keep_alive(self.app.clone(), self.id, self.running.clone(), lost.clone(), gone.clone());
        let alive = tokio::spawn(alive);
        let (finisher, saved) = Finisher::start(self.app.clone(), self.running.clone(), lost.clone());
        let (desk, told) = mpsc::unbounded_channel();
        let listening = tokio::spawn(self.clone().listen(told, finisher.clone()));
        let readers = Queue::ALL.map(|queue| {
            let (worker, finisher, places) = (self.clone(), finisher.clone(), Places::default());
            self.app.desks().open(queue, self.id, places.clone(), desk.clone());
            tokio::spawn(async move { worker.read(queue, concurrency.of(queue), &places, &finisher).await })
        });
        drop(desk);
        tokio::select! {
            () = stop.cancelled() => {}
            () = lost.cancelled() => self.hurry.cancel(),
        }
        self.ending.cancel();
        self.app.desks().close(self.id);
        for reader in readers {
            let _ = reader.await;
        }
        let _ = listening.await;
        self.tasks.close();
        if tokio::time::timeout(self.app.job_settings().shutdown, self.tasks.wait()).await.is_err() {
            tracing::warn!(jobs = self.running.ids().len(), "deadline reached: running jobs are handed back");
        }
        self.hurry.cancel();
        self.tasks.wait().await;
        drop(finisher);
        // Nothing is lost by not waiting for ever: what is not saved is handed back, or found silent.
        let _ = tokio::time::timeout(self.app.job_settings().shutdown, saved).await;
        gone.cancel();
        let _ = alive.await;
        if let Err(e) = presence::leave(&self.app, self.id).await {
            tracing::warn!(worker = %self.id, "left without a word: {e}");
        }
    }

    /// Begins what is handed over without a ticket.
    async fn listen(self, mut told: mpsc::UnboundedReceiver<Told>, finisher: Finisher) {
        loop {
            let next = tokio::select! {
                next = told.recv() => next,
                () = self.ending.cancelled(), if !told.is_closed() => {
                    told.close();
                    continue;
                }
            };
            match next {
                Some(Told::Begin(job, place)) => self.begin(*job, place, &finisher),
                Some(Told::Perhaps(id)) => self.running.doubt(id),
                None => return,
            }
        }
    }

    async fn read(&self, queue: Queue, slots: usize, places: &Places, finisher: &Finisher) {
        let slots = Arc::new(Semaphore::new(slots));
        while !self.ending.is_cancelled() {
            if let Err(e) = self.read_until_it_fails(queue, &slots, places, finisher).await {
                tracing::warn!(queue = queue.name(), "reader restarts: {e:#}");
                pause(&self.ending).await;
            }
        }
    }

    async fn read_until_it_fails(
        &self,
        queue: Queue,
        slots: &Arc<Semaphore>,
        places: &Places,
        finisher: &Finisher,
    ) -> anyhow::Result<()> {
        let client = self.app.redis().blocking().await?;
        while !self.ending.is_cancelled() {
            let mut permits = vec![Arc::clone(slots).acquire_owned().await?];
            while permits.len() < GROUP_OF
                && let Ok(permit) = Arc::clone(slots).try_acquire_owned()
            {
                permits.push(permit);
            }
            let most = permits.len();
            places.offer(permits);
            let taken = self.app.waiting().take(&client, queue, most, WAIT_SECONDS).await;
            let permits = places.withdraw();
            let mut tickets = taken?;
            // A ticket may come twice.
            tickets.retain(|(id, _)| !self.running.holds(*id));
            let too_many = tickets.split_off(tickets.len().min(permits.len()));
            if !too_many.is_empty() {
                // Their places were given away meanwhile; others may have some.
                self.app.waiting().put_back(queue, &too_many).await?;
            }
            let ids: Vec<Uuid> = tickets.into_iter().map(|(id, _)| id).collect();
            if ids.is_empty() {
                continue;
            }
            let claimed = claim_patiently(&self.app, self.id, &ids, &self.ending).await;
            for (job, place) in claimed.into_iter().zip(permits) {
                self.begin(job, place, finisher);
            }
        }
        client.quit().await?;
        Ok(())
    }

    fn begin(&self, job: ClaimedJob, place: OwnedSemaphorePermit, finisher: &Finisher) {
        let (worker, finisher) = (self.clone(), finisher.clone());
        // Known before it runs, so that a cancellation always finds it.
        let cancelled = self.running.add(job.id);
        self.tasks.spawn(async move {
            let interrupts = Interrupts { cancelled, hurry: worker.hurry.clone() };
            let outcome = execute(&worker.app, job, &interrupts).await;
            // The next group may be claimed while this one is saved; the channel bounds how many wait.
            drop(place);
            finisher.save(outcome).await;
        });
    }
}

/// Waits a moment for a ticket as a reader does, and answers how many came: for tests.
///
/// # Errors
/// When Redis fails; that nothing came is not an error.
pub async fn wait_briefly(app: &App, queue: Queue) -> anyhow::Result<usize> {
    let client = app.redis().blocking().await?;
    Ok(app.waiting().take(&client, queue, 1, 0.05).await?.len())
}

/// Runs every due job in order until none is left, in this task and without Redis: for tests,
/// where the order must be the same every time.
///
/// # Errors
/// When the database fails; a failing job is not an error here.
pub async fn drain(app: &App) -> Result<usize> {
    let worker = presence::register(app).await?;
    let mut done = 0;
    while let Some(job) = next_due(app, worker).await? {
        let interrupts = Interrupts { cancelled: CancellationToken::new(), hurry: CancellationToken::new() };
        let outcome = execute(app, job, &interrupts).await;
        finish::save(app, &[outcome]).await?;
        done += 1;
    }
    presence::leave(app, worker).await?;
    Ok(done)
}

async fn next_due(app: &App, worker: Uuid) -> Result<Option<ClaimedJob>> {
    let due: Vec<Uuid> = {
        let mut conn = app.conn().await?;
        let now = app.now();
        let late = core_jobs::table.filter(core_jobs::dispatched_at.is_null().and(core_jobs::run_at.le(now)));
        diesel::update(late).set(core_jobs::dispatched_at.eq(now)).execute(&mut conn).await?;
        core_jobs::table
            .filter(core_jobs::worker.is_null().and(core_jobs::dispatched_at.is_not_null()))
            .order((core_jobs::run_at, core_jobs::seq))
            .select(core_jobs::id)
            .load(&mut conn)
            .await?
    };
    for id in due {
        // One that must wait for another is refused.
        if let Some(job) = claim(app, worker, &[id], false).await?.pop() {
            return Ok(Some(job));
        }
    }
    Ok(None)
}
