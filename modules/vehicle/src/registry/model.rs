use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, sum};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;

use crate::tables::{vehicle_registry_access, vehicle_registry_questions};

/// With what an organization asks the register.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = vehicle_registry_access)]
pub struct Access {
    pub org_id: Uuid,
    pub sealed: String,
    pub since: DateTime<Utc>,
    pub refused_at: Option<DateTime<Utc>>,
}

/// A question that was answered.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = vehicle_registry_questions)]
pub struct Question {
    pub id: Uuid,
    pub org_id: Uuid,
    pub plate: String,
    /// None where the register does not know the number.
    pub car: Option<Value>,
    pub cost_cents: i32,
    pub asked_at: DateTime<Utc>,
}

pub async fn access(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<Option<Access>> {
    vehicle_registry_access::table.find(org).select(Access::as_select()).first(conn).await.optional()
}

pub async fn set_access(conn: &mut AsyncPgConnection, access: &Access) -> QueryResult<usize> {
    use vehicle_registry_access::dsl;
    diesel::insert_into(vehicle_registry_access::table)
        .values(access)
        .on_conflict(dsl::org_id)
        .do_update()
        .set((dsl::sealed.eq(&access.sealed), dsl::since.eq(access.since), dsl::refused_at.eq(access.refused_at)))
        .execute(conn)
        .await
}

/// Notes that the register refused this very credential.
pub async fn refuse(conn: &mut AsyncPgConnection, access: &Access, at: DateTime<Utc>) -> QueryResult<usize> {
    use vehicle_registry_access::dsl;
    let this = dsl::vehicle_registry_access.filter(dsl::org_id.eq(access.org_id).and(dsl::sealed.eq(&access.sealed)));
    diesel::update(this).set(dsl::refused_at.eq(at)).execute(conn).await
}

pub async fn remove_access(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<usize> {
    diesel::delete(vehicle_registry_access::table.find(org)).execute(conn).await
}

pub async fn insert(conn: &mut AsyncPgConnection, question: &Question) -> QueryResult<usize> {
    diesel::insert_into(vehicle_registry_questions::table).values(question).execute(conn).await
}

/// The latest question about a number since a moment.
pub async fn latest(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    plate: &str,
    since: DateTime<Utc>,
) -> QueryResult<Option<Question>> {
    use vehicle_registry_questions::dsl;
    dsl::vehicle_registry_questions
        .filter(dsl::org_id.eq(org).and(dsl::plate.eq(plate)).and(dsl::asked_at.gt(since)))
        .order(dsl::asked_at.desc())
        .select(Question::as_select())
        .first(conn)
        .await
        .optional()
}

/// How many questions since a moment, and what they cost together, in cents.
pub async fn spent(conn: &mut AsyncPgConnection, org: Uuid, since: DateTime<Utc>) -> QueryResult<(i64, i64)> {
    use vehicle_registry_questions::dsl;
    let mine = dsl::vehicle_registry_questions.filter(dsl::org_id.eq(org).and(dsl::asked_at.ge(since)));
    let (count, cents): (i64, Option<i64>) = mine.select((count_star(), sum(dsl::cost_cents))).first(conn).await?;
    Ok((count, cents.unwrap_or(0)))
}
