//! Statements of the job runner, each prepared once per connection.
//!
//! `diesel::sql_query` prepares its text at every call, which is a round trip more than the work itself.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use uuid::Uuid;

use super::enqueue::{NewJob, When};

/// Writes a statement as its pieces of text with a parameter between each two.
macro_rules! statement {
    ($(#[$doc:meta])* $name:ident -> $row:ty { $($field:ident: $rust:ty => $sql:ty, $text:literal;)* } $end:literal) => {
        $(#[$doc])*
        #[derive(QueryId)]
        pub(crate) struct $name {
            $(pub $field: $rust),*
        }

        impl QueryFragment<Pg> for $name {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
                $(
                    out.push_sql($text);
                    out.push_bind_param::<$sql, _>(&self.$field)?;
                )*
                out.push_sql($end);
                Ok(())
            }
        }

        impl Query for $name {
            type SqlType = $row;
        }

        impl<C> diesel::query_dsl::RunQueryDsl<C> for $name {}
    };
}

statement! {
    /// Adds rows of one kind, born dispatched when they may run at once.
    InsertJobs -> () {
        name: String => Text,
            "INSERT INTO core_jobs (name, queue, priority, max_attempts, provider, batch_id, run_at, created_at, \
               dispatched_at, worker, started_at, attempt, trace, id, org_id, ordering_key, args) SELECT ";
        queue: String => Text, ", ";
        priority: i16 => SmallInt, ", ";
        max_attempts: i32 => Integer, ", ";
        provider: Option<String> => Nullable<Text>, ", ";
        batch: Option<Uuid> => Nullable<SqlUuid>, ", ";
        run_at: DateTime<Utc> => Timestamptz, ", ";
        now: DateTime<Utc> => Timestamptz, ", ";
        dispatched_at: Option<DateTime<Utc>> => Nullable<Timestamptz>, ", ";
        worker: Option<Uuid> => Nullable<SqlUuid>, ", ";
        started_at: Option<DateTime<Utc>> => Nullable<Timestamptz>, ", ";
        attempt: i32 => Integer, ", ";
        trace: Option<String> => Nullable<Text>, ", ";
        ids: Vec<Uuid> => Array<SqlUuid>, ", j.* FROM unnest(";
        orgs: Vec<Option<Uuid>> => Array<Nullable<SqlUuid>>, ", ";
        ordering_keys: Vec<Option<String>> => Array<Nullable<Text>>, ", ";
        args: Vec<Value> => Array<Jsonb>, ", ";
    } ") AS j (id, org_id, ordering_key, args)"
}

impl InsertJobs {
    /// An empty one for jobs like this.
    pub fn like(job: &NewJob, when: When) -> Self {
        Self {
            name: job.name.clone(),
            queue: job.queue.clone(),
            priority: job.priority,
            max_attempts: job.max_attempts,
            provider: job.provider.clone(),
            batch: when.batch,
            run_at: when.run_at,
            now: when.now,
            dispatched_at: when.dispatched_at(),
            worker: None,
            started_at: None,
            attempt: 0,
            trace: job.trace.clone(),
            ids: Vec::new(),
            orgs: Vec::new(),
            ordering_keys: Vec::new(),
            args: Vec::new(),
        }
    }

    /// As claimed by this worker.
    pub fn claimed_by(self, worker: Option<Uuid>) -> Self {
        Self { worker, started_at: worker.map(|_| self.now), attempt: worker.map_or(0, |_| 1), ..self }
    }

    /// Answers the id given to the row.
    pub fn push(&mut self, job: NewJob) -> Uuid {
        let id = Uuid::now_v7();
        self.ids.push(id);
        self.orgs.push(job.org_id);
        self.ordering_keys.push(job.ordering_key);
        self.args.push(job.args);
        id
    }
}

statement! {
    /// Adds a row unless an equal one waits. That one is locked until our commit, so that it cannot start
    /// before what we have written is true.
    InsertUniqueJob -> (SqlUuid,) {
        id: Uuid => SqlUuid,
            "INSERT INTO core_jobs (id, name, queue, priority, org_id, max_attempts, ordering_key, unique_key, provider, \
               args, trace, batch_id, run_at, created_at, dispatched_at) VALUES (";
        name: String => Text, ", ";
        queue: String => Text, ", ";
        priority: i16 => SmallInt, ", ";
        org: Option<Uuid> => Nullable<SqlUuid>, ", ";
        max_attempts: i32 => Integer, ", ";
        ordering_key: Option<String> => Nullable<Text>, ", ";
        unique_key: Option<String> => Nullable<Text>, ", ";
        provider: Option<String> => Nullable<Text>, ", ";
        args: Value => Jsonb, ", ";
        trace: Option<String> => Nullable<Text>, ", ";
        batch: Option<Uuid> => Nullable<SqlUuid>, ", ";
        run_at: DateTime<Utc> => Timestamptz, ", ";
        now: DateTime<Utc> => Timestamptz, ", ";
        dispatched_at: Option<DateTime<Utc>> => Nullable<Timestamptz>, ", ";
    } ") ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL DO UPDATE \
         SET run_at = least(core_jobs.run_at, excluded.run_at), \
           dispatched_at = coalesce(core_jobs.dispatched_at, excluded.dispatched_at) RETURNING id"
}

impl InsertUniqueJob {
    pub fn new(job: &NewJob, when: When) -> Self {
        Self {
            id: Uuid::now_v7(),
            name: job.name.clone(),
            queue: job.queue.clone(),
            priority: job.priority,
            org: job.org_id,
            max_attempts: job.max_attempts,
            ordering_key: job.ordering_key.clone(),
            unique_key: job.unique_key.clone(),
            provider: job.provider.clone(),
            args: job.args.clone(),
            trace: job.trace.clone(),
            batch: when.batch,
            run_at: when.run_at,
            now: when.now,
            dispatched_at: when.dispatched_at(),
        }
    }
}

statement! {
    /// Opens a batch.
    InsertBatch -> () {
        id: Uuid => SqlUuid, "INSERT INTO core_batches (id, open, callback) VALUES (";
        open: i32 => Integer, ", ";
        callback: Value => Jsonb, ", ";
    } ")"
}

statement! {
    /// Takes the rows that are dispatched and free; the others belong to somebody else or to later. Whether a
    /// row is due was judged by whoever dispatched it: the clocks of machines disagree. Rows already
    /// ours are among the answer of a repeated claim only, whose first answer was lost. The claim need not
    /// survive a crash of PostgreSQL, so it does not wait for the disk.
    ClaimJobs -> (SqlUuid, Text, Jsonb, Integer, Integer, Nullable<SqlUuid>, Nullable<Text>, Nullable<Text>, Nullable<SqlUuid>, Bool, Nullable<Text>) {
        worker: Uuid => SqlUuid,
            "UPDATE core_jobs j SET worker = ";
        now: DateTime<Utc> => Timestamptz,
            ", attempt = attempt + CASE WHEN worker IS NULL THEN 1 ELSE 0 END, started_at = ";
        ids: Vec<Uuid> => Array<SqlUuid>,
            " FROM (SELECT set_config('synchronous_commit', 'off', true)) quick WHERE id = ANY(";
        mine: Option<Uuid> => Nullable<SqlUuid>,
            ") AND (worker IS NULL OR worker = ";
    } ") AND provider IS NULL AND unique_key IS NULL AND dispatched_at IS NOT NULL AND (ordering_key IS NULL OR NOT EXISTS \
         (SELECT FROM core_jobs e WHERE e.ordering_key = j.ordering_key AND e.seq < j.seq)) \
       RETURNING id, name, args, attempt, max_attempts, org_id, ordering_key, provider, batch_id, cancelled_at IS NOT NULL, trace"
}

statement! {
    /// Deletes what is done; attempts that are no longer ours are passed over.
    FinishJobs -> () {
        ids: Vec<Uuid> => Array<SqlUuid>, "DELETE FROM core_jobs j USING unnest(";
        attempts: Vec<i32> => Array<Integer>, ", ";
        worker: Uuid => SqlUuid, ") AS o (id, attempt) WHERE j.id = o.id AND j.attempt = o.attempt AND j.worker = ";
    } ""
}

statement! {
    /// Takes one row out of the open ones if the attempt is still ours, and keeps it among the ended when
    /// it is to be kept. Answers whether it was ours.
    EndJob -> (BigInt,) {
        id: Uuid => SqlUuid, "WITH gone AS (DELETE FROM core_jobs WHERE id = ";
        worker: Uuid => SqlUuid, " AND worker = ";
        attempt: i32 => Integer, " AND attempt = ";
        outcome: &'static str => Text,
            " RETURNING *), kept AS (INSERT INTO core_jobs_ended (id, name, queue, priority, org_id, args, attempt, \
               max_attempts, ordering_key, provider, created_at, started_at, outcome, history, ended_at, keep_until) \
             SELECT id, name, queue, priority, org_id, args, attempt, max_attempts, ordering_key, provider, created_at, \
               started_at, ";
        entry: Value => Jsonb, ", history || ";
        now: DateTime<Utc> => Timestamptz, ", ";
        keep_until: Option<DateTime<Utc>> => Nullable<Timestamptz>, ", ";
        keep: bool => Bool, " FROM gone WHERE ";
    } ") SELECT count(*) FROM gone"
}

statement! {
    /// Puts a row back for another attempt, if this one is still ours.
    RepeatJob -> () {
        run_at: DateTime<Utc> => Timestamptz,
            "UPDATE core_jobs SET worker = NULL, dispatched_at = NULL, run_at = ";
        entry: Value => Jsonb, ", history = history || ";
        uncounted: i32 => Integer, ", attempt = attempt - ";
        id: Uuid => SqlUuid, " WHERE id = ";
        worker: Uuid => SqlUuid, " AND worker = ";
        attempt: i32 => Integer, " AND attempt = ";
    } ""
}

statement! {
    /// Counts a member of a batch as ended.
    CountDown -> (Integer, Jsonb) {
        id: Uuid => SqlUuid, "UPDATE core_batches SET open = open - 1 WHERE id = ";
    } " RETURNING open, callback"
}
