use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::Page;
use uuid::Uuid;

use crate::tables::auth_trail::{self, dsl};
use crate::trail::Whose;

/// One thing that somebody did.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = auth_trail)]
pub struct Step {
    pub id: Uuid,
    pub org_id: Uuid,
    pub user_id: Uuid,
    /// Whoever of staff did it in that name.
    pub staff_id: Option<Uuid>,
    pub api_key_id: Option<Uuid>,
    pub action: String,
    /// `OK` or the code of an error.
    pub outcome: String,
    pub subject_id: Option<Uuid>,
    pub network: Option<String>,
    pub reason: Option<String>,
    pub at: DateTime<Utc>,
}

/// Adds a step; of an organization that was just erased nothing is left to write.
pub async fn insert_step(conn: &mut AsyncPgConnection, step: &Step) -> QueryResult<usize> {
    match diesel::insert_into(auth_trail::table).values(step).execute(conn).await {
        Err(Error::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _)) => Ok(0),
        done => done,
    }
}

/// The latest first, one more than the page holds.
pub async fn steps(conn: &mut AsyncPgConnection, whose: Whose, page: Page) -> QueryResult<Vec<Step>> {
    let mut found = auth_trail::table.select(Step::as_select()).into_boxed();
    if let Some(org) = whose.org_id {
        found = found.filter(dsl::org_id.eq(org));
    }
    if let Some(user) = whose.user_id {
        found = found.filter(dsl::user_id.eq(user));
    }
    if let Some(staff) = whose.staff_id {
        found = found.filter(dsl::staff_id.eq(staff));
    }
    if let Some(key) = whose.api_key_id {
        found = found.filter(dsl::api_key_id.eq(key));
    }
    if let Some(after) = page.after {
        found = found.filter(dsl::id.lt(after));
    }
    found.order(dsl::id.desc()).limit(page.limit + 1).load(conn).await
}

pub async fn forget_steps(conn: &mut AsyncPgConnection, before: DateTime<Utc>) -> QueryResult<usize> {
    diesel::delete(auth_trail::table.filter(dsl::at.lt(before))).execute(conn).await
}
