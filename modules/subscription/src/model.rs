use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Date, Int4, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::plans::{PlanCode, Unit};
use crate::standing::Paid;
use crate::tables::{subscription_accounts, subscription_meter, subscription_usage};

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = subscription_accounts, treat_none_as_null = true)]
pub struct Account {
    pub org_id: Uuid,
    pub trial_ends_at: DateTime<Utc>,
    /// What is paid for; none while nothing is.
    pub plan: Option<String>,
    pub period_start: Option<DateTime<Utc>>,
    pub period_end: Option<DateTime<Utc>>,
    pub grace_ends_at: Option<DateTime<Utc>>,
    pub ends_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

impl Account {
    pub fn paid(&self) -> Option<Paid> {
        let plan = self.plan.as_deref().and_then(PlanCode::named)?;
        let (period_start, period_end) = self.period_start.zip(self.period_end)?;
        Some(Paid { plan, period_start, period_end, grace_ends_at: self.grace_ends_at, ends_at: self.ends_at })
    }
}

/// What was used of a unit in a month.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = subscription_usage)]
pub struct Usage {
    pub month: NaiveDate,
    /// Of units that are held: as many as when that was last counted.
    pub used: i32,
    /// The most at the same time.
    pub peak: i32,
}

pub async fn account(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<Option<Account>> {
    subscription_accounts::table.find(org).select(Account::as_select()).first(conn).await.optional()
}

pub async fn lock_account(conn: &mut AsyncPgConnection, org: Uuid) -> QueryResult<Option<Account>> {
    subscription_accounts::table.find(org).select(Account::as_select()).for_update().first(conn).await.optional()
}

/// Adds an account where there is none.
pub async fn insert_account(conn: &mut AsyncPgConnection, account: &Account) -> QueryResult<usize> {
    diesel::insert_into(subscription_accounts::table).values(account).on_conflict_do_nothing().execute(conn).await
}

pub async fn save_account(conn: &mut AsyncPgConnection, account: &Account) -> QueryResult<usize> {
    diesel::update(subscription_accounts::table.find(account.org_id)).set(account).execute(conn).await
}

#[derive(QueryableByName)]
struct Used {
    #[diesel(sql_type = Int4)]
    used: i32,
}

/// Counts a unit by its key; answers how many there are now, or none where it was counted before.
pub async fn count(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    unit: Unit,
    key: &str,
    (month, now): (NaiveDate, DateTime<Utc>),
) -> QueryResult<Option<i32>> {
    let query = "WITH fresh AS (INSERT INTO subscription_meter (org_id, unit, key, counted_at) VALUES ($1, $2, $3, $4) \
            ON CONFLICT DO NOTHING RETURNING org_id, unit) \
        INSERT INTO subscription_usage AS u (org_id, unit, month, used, peak) SELECT org_id, unit, $5, 1, 1 FROM fresh \
        ON CONFLICT (org_id, unit, month) DO UPDATE SET used = u.used + 1, peak = greatest(u.peak, u.used + 1) RETURNING used";
    let counted: Option<Used> = diesel::sql_query(query)
        .bind::<SqlUuid, _>(org)
        .bind::<Text, _>(unit.name())
        .bind::<Text, _>(key)
        .bind::<Timestamptz, _>(now)
        .bind::<Date, _>(month)
        .get_result(conn)
        .await
        .optional()?;
    Ok(counted.map(|row| row.used))
}

/// Takes a unit back that was counted just now.
pub async fn uncount(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    unit: Unit,
    key: &str,
    month: NaiveDate,
) -> QueryResult<usize> {
    let query = "WITH gone AS (DELETE FROM subscription_meter WHERE org_id = $1 AND unit = $2 AND key = $3 RETURNING org_id, unit) \
        UPDATE subscription_usage u SET used = u.used - 1, peak = u.used - 1 FROM gone \
        WHERE u.org_id = gone.org_id AND u.unit = gone.unit AND u.month = $4";
    diesel::sql_query(query)
        .bind::<SqlUuid, _>(org)
        .bind::<Text, _>(unit.name())
        .bind::<Text, _>(key)
        .bind::<Date, _>(month)
        .execute(conn)
        .await
}

pub async fn is_counted(conn: &mut AsyncPgConnection, org: Uuid, unit: Unit, key: &str) -> QueryResult<bool> {
    let row = subscription_meter::table.find((org, unit.name(), key));
    diesel::select(diesel::dsl::exists(row)).get_result(conn).await
}

/// Notes how many of a unit are held now.
pub async fn hold(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    unit: Unit,
    month: NaiveDate,
    used: i32,
) -> QueryResult<usize> {
    diesel::insert_into(subscription_usage::table)
        .values((
            subscription_usage::org_id.eq(org),
            subscription_usage::unit.eq(unit.name()),
            subscription_usage::month.eq(month),
            subscription_usage::used.eq(used),
            subscription_usage::peak.eq(used),
        ))
        .on_conflict((subscription_usage::org_id, subscription_usage::unit, subscription_usage::month))
        .do_update()
        .set((
            subscription_usage::used.eq(used),
            subscription_usage::peak.eq(diesel::dsl::sql("greatest(subscription_usage.peak, excluded.peak)")),
        ))
        .execute(conn)
        .await
}

/// The months of a unit from one on, the newest first.
pub async fn usage(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    unit: Unit,
    (from, most): (NaiveDate, i64),
) -> QueryResult<Vec<Usage>> {
    subscription_usage::table
        .filter(subscription_usage::org_id.eq(org).and(subscription_usage::unit.eq(unit.name())))
        .filter(subscription_usage::month.ge(from))
        .order(subscription_usage::month.desc())
        .limit(most)
        .select(Usage::as_select())
        .load(conn)
        .await
}

/// Notes that somebody is told; false where they were this month.
pub async fn warn(
    conn: &mut AsyncPgConnection,
    org: Uuid,
    unit: Unit,
    (month, now): (NaiveDate, DateTime<Utc>),
) -> QueryResult<bool> {
    let row = subscription_usage::table.find((org, unit.name(), month)).filter(subscription_usage::warned_at.is_null());
    Ok(diesel::update(row).set(subscription_usage::warned_at.eq(now)).execute(conn).await? == 1)
}

pub async fn forget(conn: &mut AsyncPgConnection, before: DateTime<Utc>) -> QueryResult<()> {
    let meters = subscription_meter::table.filter(subscription_meter::counted_at.lt(before));
    diesel::delete(meters).execute(conn).await?;
    let months = subscription_usage::table.filter(subscription_usage::month.lt(before.date_naive()));
    diesel::delete(months).execute(conn).await?;
    Ok(())
}
