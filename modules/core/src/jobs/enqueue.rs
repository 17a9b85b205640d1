//! Writing job rows in the caller's transaction.

use chrono::{DateTime, Utc};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::desk::Seat;
use super::job::BackgroundJob;
use super::statement::{InsertBatch, InsertJobs, InsertUniqueJob};
use super::waiting::Ticket;
use crate::{App, Result, Tx, telemetry};

/// Bounds the size of one statement; beyond this a round trip no longer matters.
const ROWS_A_STATEMENT: usize = 1_000;
/// Of the JSON text of a job's fields: ids and choices, not data.
const LARGEST_ARGS: usize = 64 * 1024;

/// A job about to be written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NewJob {
    pub name: String,
    pub queue: String,
    pub priority: i16,
    pub org_id: Option<Uuid>,
    pub max_attempts: i32,
    pub ordering_key: Option<String>,
    pub unique_key: Option<String>,
    pub provider: Option<String>,
    pub args: Value,
    /// The span in which it is written.
    #[serde(default)]
    pub trace: Option<String>,
}

impl NewJob {
    /// # Errors
    /// When the job is not JSON, or larger than a job may be.
    pub fn of<J: BackgroundJob>(job: &J) -> Result<Self> {
        let args = serde_json::to_value(job)?;
        if args.to_string().len() > LARGEST_ARGS {
            return Err(
                anyhow::anyhow!("job {} is larger than {LARGEST_ARGS} bytes: put data into rows", J::NAME).into()
            );
        }
        // Keys of different kinds of jobs never meet.
        let key = |key: String| format!("{}:{key}", J::NAME);
        Ok(Self {
            name: J::NAME.to_owned(),
            queue: J::QUEUE.name().to_owned(),
            priority: J::PRIORITY as i16,
            org_id: job.org_id(),
            max_attempts: J::MAX_ATTEMPTS,
            ordering_key: job.ordering_key(),
            unique_key: job.unique_key().map(key),
            provider: J::PROVIDER.map(|provider| provider.name.to_owned()),
            args,
            trace: telemetry::current_trace(),
        })
    }

    /// Still without its id.
    fn ticket(&self) -> Option<Ticket> {
        Ticket::of(Uuid::nil(), &self.queue, self.priority, self.org_id)
    }
}

/// When a written job may run.
#[derive(Clone, Copy)]
pub(crate) struct When {
    pub now: DateTime<Utc>,
    pub run_at: DateTime<Utc>,
    pub batch: Option<Uuid>,
}

impl When {
    pub fn at_once(now: DateTime<Utc>) -> Self {
        Self { now, run_at: now, batch: None }
    }

    pub fn dispatched_at(self) -> Option<DateTime<Utc>> {
        (self.run_at <= self.now).then_some(self.now)
    }
}

/// Writes rows; answers their ids, and tickets for those that may run at once. Such rows are born
/// dispatched: the commit is followed at once by their tickets, and the relay repeats those should they
/// be lost.
pub(crate) async fn insert(
    conn: &mut AsyncPgConnection,
    jobs: Vec<NewJob>,
    when: When,
) -> Result<(Vec<Uuid>, Vec<Ticket>)> {
    let (mut ids, mut tickets) = (Vec::with_capacity(jobs.len()), Vec::new());
    let mut rows: Option<InsertJobs> = None;
    for job in jobs {
        let ticket = job.ticket();
        let id = if job.unique_key.is_some() {
            InsertUniqueJob::new(&job, when).get_result::<(Uuid,)>(conn).await?.0
        } else {
            if let Some(full) = rows.take_if(|rows| rows.name != job.name) {
                full.execute(conn).await?;
            }
            rows.get_or_insert_with(|| InsertJobs::like(&job, when)).push(job)
        };
        ids.push(id);
        if when.dispatched_at().is_some() {
            tickets.extend(ticket.map(|ticket| Ticket { id, ..ticket }));
        }
    }
    if let Some(rows) = rows {
        rows.execute(conn).await?;
    }
    Ok((ids, tickets))
}

/// Writes one row that may run at once, for a worker of this process if one has nothing to do.
async fn insert_one(app: &App, conn: &mut AsyncPgConnection, job: NewJob) -> Result<Written> {
    let when = When::at_once(app.now());
    let seat = app.jobs().handler(&job.name).and_then(|_| app.desks().seat(&job));
    let Some(mut seat) = seat else {
        let (ids, tickets) = insert(conn, vec![job], when).await?;
        return Ok(Written { id: ids.into_iter().next().unwrap_or_default(), tickets, seat: None });
    };
    let mut row = InsertJobs::like(&job, when).claimed_by(seat.worker());
    let id = row.push(job);
    seat.name(id);
    row.execute(conn).await?;
    Ok(Written { id, tickets: Vec::new(), seat: Some(seat) })
}

struct Written {
    id: Uuid,
    tickets: Vec<Ticket>,
    seat: Option<Seat>,
}

impl App {
    /// Writes a job row in a transaction of its own: for a job that goes with no other change. See
    /// [`Tx::enqueue`].
    pub async fn enqueue<J: BackgroundJob>(&self, job: &J) -> Result<Uuid> {
        let mut conn = self.conn().await?;
        let written = insert_one(self, &mut conn, NewJob::of(job)?).await?;
        drop(conn);
        if let Some(seat) = written.seat {
            seat.begin();
        }
        self.call_up(&written.tickets).await;
        Ok(written.id)
    }

    /// The same for many, all or none. See [`Tx::enqueue_all`].
    pub async fn enqueue_all<J: BackgroundJob>(&self, jobs: &[J]) -> Result<Vec<Uuid>> {
        let rows = jobs.iter().map(NewJob::of).collect::<Result<Vec<_>>>()?;
        if rows.len() > ROWS_A_STATEMENT || rows.iter().any(|row| row.unique_key.is_some()) {
            let mut tx = self.begin().await?;
            let ids = tx.enqueue_all(jobs).await?;
            tx.commit().await?;
            return Ok(ids);
        }
        // One statement is a transaction by itself, two round trips cheaper.
        let mut conn = self.conn().await?;
        let (ids, tickets) = insert(&mut conn, rows, When::at_once(self.now())).await?;
        drop(conn);
        self.call_up(&tickets).await;
        Ok(ids)
    }
}

impl Tx {
    /// Writes a job row in this transaction; it runs at least once after the commit, and its effects are
    /// applied once. Answers its id, or that of an equal one that waits already (see
    /// [`BackgroundJob::unique_key`]).
    pub async fn enqueue<J: BackgroundJob>(&mut self, job: &J) -> Result<Uuid> {
        let app = self.app().clone();
        let written = insert_one(&app, self, NewJob::of(job)?).await?;
        self.call_up(written.tickets);
        self.seats.extend(written.seat);
        Ok(written.id)
    }

    /// The same, not before a moment.
    pub async fn enqueue_at<J: BackgroundJob>(&mut self, job: &J, run_at: DateTime<Utc>) -> Result<Uuid> {
        let when = When { run_at, ..When::at_once(self.app().now()) };
        let ids: Vec<Uuid> = self.write(vec![NewJob::of(job)?], when).await?;
        Ok(ids.into_iter().next().unwrap_or_default())
    }

    /// Many at once, in one statement; the order of the slice is the order of their organization's turns.
    pub async fn enqueue_all<J: BackgroundJob>(&mut self, jobs: &[J]) -> Result<Vec<Uuid>> {
        let when = When::at_once(self.app().now());
        let mut ids = Vec::with_capacity(jobs.len());
        for group in jobs.chunks(ROWS_A_STATEMENT) {
            ids.extend(self.write(group.iter().map(NewJob::of).collect::<Result<_>>()?, when).await?);
        }
        Ok(ids)
    }

    /// Many jobs, and one that follows when the last of them has ended, however each ended. An empty
    /// batch is followed at once. Answers the ids of the jobs.
    pub async fn enqueue_batch<J: BackgroundJob, C: BackgroundJob>(
        &mut self,
        jobs: &[J],
        then: &C,
    ) -> Result<Vec<Uuid>> {
        if jobs.is_empty() {
            self.enqueue(then).await?;
            return Ok(Vec::new());
        }
        let batch = Uuid::now_v7();
        let open = i32::try_from(jobs.len()).unwrap_or(i32::MAX);
        let callback = serde_json::to_value(NewJob::of(then)?)?;
        InsertBatch { id: batch, open, callback }.execute(&mut **self).await?;
        let when = When { batch: Some(batch), ..When::at_once(self.app().now()) };
        let mut ids = Vec::with_capacity(jobs.len());
        for group in jobs.chunks(ROWS_A_STATEMENT) {
            let mut group = group.iter().map(NewJob::of).collect::<Result<Vec<_>>>()?;
            // Merged with a job outside, a member would never end here.
            group.iter_mut().for_each(|job| job.unique_key = None);
            ids.extend(self.write(group, when).await?);
        }
        Ok(ids)
    }

    async fn write(&mut self, jobs: Vec<NewJob>, when: When) -> Result<Vec<Uuid>> {
        let (ids, tickets) = insert(self, jobs, when).await?;
        self.call_up(tickets);
        Ok(ids)
    }

    pub(crate) async fn enqueue_new(&mut self, jobs: Vec<NewJob>) -> Result<()> {
        let when = When::at_once(self.app().now());
        self.write(jobs, when).await.map(drop)
    }
}
