//! Statements of the job runner, each prepared once per connection.
//!
//! `diesel::sql_query` prepares its text at every call, which is a round trip more than the work itself.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Array, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use uuid::Uuid;

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
    /// Adds rows, born dispatched.
    InsertJobs -> () {
        now: DateTime<Utc> => Timestamptz,
            "WITH clock AS (SELECT ";
        ids: Vec<Uuid> => Array<SqlUuid>,
            "::timestamptz AS now) INSERT INTO core_jobs \
               (id, name, queue, args, state, attempt, max_attempts, run_at, dispatched_at, created_at) \
             SELECT j.id, j.name, j.queue, j.args, 'queued', 0, j.max_attempts, c.now, c.now, c.now \
             FROM clock c, unnest(";
        names: Vec<&'static str> => Array<Text>, ", ";
        queues: Vec<&'static str> => Array<Text>, ", ";
        args: Vec<Value> => Array<Jsonb>, ", ";
        max_attempts: Vec<i32> => Array<Integer>, ", ";
    } ") AS j (id, name, queue, args, max_attempts)"
}

statement! {
    /// Takes the rows that are due and free; the others belong to somebody else or to later.
    ClaimJobs -> (SqlUuid, Text, Jsonb, Integer, Integer) {
        lease_until: DateTime<Utc> => Timestamptz,
            "UPDATE core_jobs SET state = 'running', attempt = attempt + 1, lease_until = ";
        ids: Vec<Uuid> => Array<SqlUuid>,
            " WHERE id = ANY(";
        now: DateTime<Utc> => Timestamptz,
            ") AND state = 'queued' AND run_at <= ";
    } " RETURNING id, name, args, attempt, max_attempts"
}

statement! {
    /// Saves what became of attempts; those of an older attempt are passed over.
    FinishJobs -> () {
        now: DateTime<Utc> => Timestamptz,
            "UPDATE core_jobs j SET state = o.state, last_error = coalesce(o.error, j.last_error), lease_until = NULL, \
               run_at = coalesce(o.again, j.run_at), \
               dispatched_at = CASE WHEN o.state = 'queued' THEN NULL ELSE j.dispatched_at END, \
               finished_at = CASE WHEN o.state = 'queued' THEN NULL ELSE ";
        ids: Vec<Uuid> => Array<SqlUuid>,
            " END FROM unnest(";
        attempts: Vec<i32> => Array<Integer>, ", ";
        states: Vec<&'static str> => Array<Text>, ", ";
        errors: Vec<Option<String>> => Array<Nullable<Text>>, ", ";
        again: Vec<Option<DateTime<Utc>>> => Array<Nullable<Timestamptz>>, ", ";
    } ") AS o (id, attempt, state, error, again) WHERE j.id = o.id AND j.state = 'running' AND j.attempt = o.attempt"
}
