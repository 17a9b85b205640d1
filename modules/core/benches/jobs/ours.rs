//! Our job runner as modules use it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use keroxio_core::{App, AppBuilder, BackgroundJob, Effects, Env, JobError, JobRegistry, Module, worker};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::GROUP;

const CONCURRENCY: worker::Concurrency = worker::Concurrency { default: GROUP, inference: 1, outbound: 1 };

static RAN: AtomicUsize = AtomicUsize::new(0);
static ENOUGH: AtomicUsize = AtomicUsize::new(usize::MAX);
static ALL_RAN: Notify = Notify::const_new();
static STARTED: Mutex<Option<Instant>> = Mutex::new(None);

/// Does nothing but say that it ran.
#[derive(Serialize, Deserialize)]
struct Empty {
    number: usize,
}

impl BackgroundJob for Empty {
    const NAME: &'static str = "bench.empty";

    fn org_id(&self) -> Option<uuid::Uuid> {
        None
    }

    async fn run(self, _app: App) -> Result<Effects, JobError> {
        *STARTED.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        if RAN.fetch_add(1, Ordering::AcqRel) + 1 >= ENOUGH.load(Ordering::Acquire) {
            ALL_RAN.notify_one();
        }
        Ok(Effects::none())
    }
}

struct Bench;

impl Module for Bench {
    fn name(&self) -> &'static str {
        "bench"
    }

    fn jobs(&self, jobs: &mut JobRegistry) {
        jobs.register::<Empty>();
    }
}

pub struct Ours(App);

impl Ours {
    pub async fn start() -> Self {
        let url = std::env::var("DATABASE_URL").expect("DATABASE_URL");
        let mut conn = AsyncPgConnection::establish(&url).await.unwrap();
        conn.batch_execute(
            "DROP TABLE IF EXISTS core_jobs, core_jobs_ended, core_workers, core_batches, core_schedules",
        )
        .await
        .unwrap();
        for migration in [
            include_str!("../../../../migrations/2026-11-24-000001_core_jobs/up.sql"),
            include_str!("../../../../migrations/2026-11-24-000071_core_jobs_dead/up.sql"),
            include_str!("../../../../migrations/2026-11-24-000080_core_jobs_ended/up.sql"),
        ] {
            conn.batch_execute(migration).await.unwrap();
        }
        let app = AppBuilder::default().start(&Env::from_process(), &[&Bench]).await.unwrap();
        Self(app)
    }

    /// Time to enqueue with no worker, then time to drain with one.
    pub async fn throughput(&mut self, jobs: usize) -> (Duration, Duration) {
        let begun = Instant::now();
        for first in (0..jobs).step_by(GROUP) {
            self.enqueue(first, GROUP.min(jobs - first)).await;
        }
        let enqueued = begun.elapsed();
        RAN.store(0, Ordering::Release);
        ENOUGH.store(jobs, Ordering::Release);
        let begun = Instant::now();
        let stop = CancellationToken::new();
        let worker = tokio::spawn(worker::run(self.0.clone(), CONCURRENCY, stop.clone()));
        ALL_RAN.notified().await;
        // The last outcomes are part of the work; waiting for the reader to end its read is not.
        self.wait_until_saved().await;
        let drained = begun.elapsed();
        stop.cancel();
        worker.await.unwrap();
        self.empty().await;
        (enqueued, drained)
    }

    /// From the beginning of enqueueing to the job's first line, one at a time on an idle worker.
    pub async fn lone(&mut self, times: usize) -> Vec<Duration> {
        let stop = CancellationToken::new();
        let worker = tokio::spawn(worker::run(self.0.clone(), CONCURRENCY, stop.clone()));
        ENOUGH.store(1, Ordering::Release);
        let mut starts = Vec::new();
        for number in 0..times + 20 {
            RAN.store(0, Ordering::Release);
            let begun = Instant::now();
            self.0.enqueue(&Empty { number }).await.unwrap();
            ALL_RAN.notified().await;
            let started = STARTED.lock().unwrap_or_else(PoisonError::into_inner).unwrap();
            // The first ones warm connections and caches.
            if number >= 20 {
                starts.push(started - begun);
            }
            // Lets the worker fall idle again: BullMQ is given the same pause.
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        stop.cancel();
        worker.await.unwrap();
        self.empty().await;
        starts
    }

    async fn enqueue(&self, first: usize, count: usize) {
        let jobs: Vec<Empty> = (first..first + count).map(|number| Empty { number }).collect();
        self.0.enqueue_all(&jobs).await.unwrap();
    }

    async fn wait_until_saved(&self) {
        #[derive(diesel::QueryableByName)]
        struct Count {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            open: i64,
        }
        use diesel_async::RunQueryDsl as _;
        let mut conn = self.0.conn().await.unwrap();
        loop {
            let query = diesel::sql_query("SELECT count(*) AS open FROM core_jobs");
            let row: Count = query.get_result(&mut conn).await.unwrap();
            if row.open == 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn empty(&self) {
        use diesel_async::RunQueryDsl as _;
        let mut conn = self.0.conn().await.unwrap();
        diesel::sql_query("TRUNCATE core_jobs").execute(&mut conn).await.unwrap();
    }
}
