use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::ledger::{self, JobFilter, JobRow};
use keroxio_core::{Access, GqlResult, Page, RequestContext as _, access, connection, follow};
use serde_json::Value;
use uuid::Uuid;

/// Where a background job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "ledger::JobState")]
pub enum JobState {
    /// Until its time comes: a later moment, or its next attempt.
    Scheduled,
    /// For a worker, or for the jobs before it.
    Waiting,
    /// Being worked on.
    Running,
    /// Ended well.
    Done,
    /// Given up after its last attempt.
    Dead,
    /// Called off.
    Cancelled,
}

/// A piece of slow work.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Job {
    /// Identifier.
    #[graphql(owned)]
    pub id: ID,
    /// Stable kind, for instance `plates.read`.
    kind: String,
    /// The queue it waits in: `default`, `inference` or `outbound`.
    queue: String,
    /// Where it stands.
    state: JobState,
    /// Number of this state; it grows with every change. Give the last one you have seen to `jobUpdated`.
    event_id: i32,
    /// How often it was begun.
    attempt: i32,
    /// How often it may be begun.
    max_attempts: i32,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// The earliest moment of its next attempt; null once it has ended.
    run_at: Option<DateTime<Utc>>,
    /// When its last attempt began.
    started_at: Option<DateTime<Utc>>,
    /// When it ended.
    ended_at: Option<DateTime<Utc>>,
    #[graphql(skip)]
    row: JobRow,
}

impl From<JobRow> for Job {
    fn from(row: JobRow) -> Self {
        Self {
            id: row.id.into(),
            kind: row.name.clone(),
            queue: row.queue.clone(),
            state: row.state.into(),
            event_id: row.event(),
            attempt: row.attempt,
            max_attempts: row.max_attempts,
            created_at: row.created_at,
            run_at: row.run_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
            row,
        }
    }
}

/// An attempt that failed.
#[derive(SimpleObject)]
pub struct FailedAttempt {
    /// Its number, from 1.
    attempt: i64,
    /// When it failed.
    at: Option<DateTime<Utc>>,
    /// Why, in the words of the log.
    error: String,
}

#[ComplexObject]
impl Job {
    /// Attempts that failed, oldest first. For staff only.
    #[graphql(guard = "Access::Staff", directive = access::apply(Access::Staff))]
    async fn failures(&self) -> Vec<FailedAttempt> {
        let history = self.row.history.as_array().map(Vec::as_slice).unwrap_or_default();
        let text = |entry: &Value, name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
        history
            .iter()
            .map(|entry| FailedAttempt {
                attempt: entry.get("attempt").and_then(Value::as_i64).unwrap_or_default(),
                at: text(entry, "at").and_then(|at| at.parse().ok()),
                error: text(entry, "error").unwrap_or_default(),
            })
            .collect()
    }

    /// What it was asked to do, as JSON. For staff only.
    #[graphql(guard = "Access::Staff", directive = access::apply(Access::Staff))]
    async fn arguments(&self) -> String {
        self.row.args.to_string()
    }

    /// The organization it works for; null for the installation's own. For staff only.
    #[graphql(guard = "Access::Staff", directive = access::apply(Access::Staff))]
    async fn organization_id(&self) -> Option<Uuid> {
        self.row.org_id
    }
}

/// Which jobs to list; all conditions hold together.
#[derive(InputObject, Default)]
pub struct JobFilterInput {
    /// Only those that stand here.
    state: Option<JobState>,
    /// Only those of this kind, for instance `plates.read`.
    kind: Option<String>,
    /// Only those of this organization.
    organization_id: Option<Uuid>,
}

impl From<JobFilterInput> for JobFilter {
    fn from(input: JobFilterInput) -> Self {
        Self { state: input.state.map(Into::into), name: input.kind, org_id: input.organization_id }
    }
}

#[derive(Default)]
pub struct JobsQuery;

#[Object]
impl JobsQuery {
    /// A background job of your organization. It can be looked up for a day after it has ended.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn job(&self, ctx: &Context<'_>, #[graphql(desc = "Its identifier.")] id: Uuid) -> GqlResult<Job> {
        let mut conn = ctx.app().conn().await?;
        Ok(Box::pin(follow::get(&mut conn, ctx.actor()?.org_id, id)).await?.into())
    }

    /// Jobs of all organizations, newest first. For staff only.
    #[graphql(guard = "Access::Staff", directive = access::apply(Access::Staff), complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity")]
    async fn jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all when left out.")] filter: Option<JobFilterInput>,
        #[graphql(desc = "Page size, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the last row already seen.")] after: Option<String>,
    ) -> GqlResult<Connection<String, Job, EmptyFields, EmptyFields>> {
        let page = Page::new(first, after.as_deref())?;
        let filter = JobFilter::from(filter.unwrap_or_default());
        let mut conn = ctx.app().conn().await?;
        let jobs = Box::pin(ledger::list(&mut conn, &filter, page.after, page.limit + 1)).await;
        let jobs = jobs.map_err(keroxio_core::Error::from)?;
        Ok(connection(page, jobs.into_iter().map(|job| (job.id, job.into())).collect()))
    }
}
