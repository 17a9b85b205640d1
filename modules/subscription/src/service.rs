//! Where work is accepted: the one door through which everybody asks.

use chrono::{DateTime, Datelike as _, Months, NaiveDate, Utc};
use chrono_tz::Europe::Paris;
use diesel_async::AsyncPgConnection;
use keroxio_core::{Actor, App, Credential, Result, Right, Tx};
use uuid::Uuid;

use crate::error;
use crate::events::LimitNear;
use crate::model::{self, Account, Usage};
use crate::plans::{Catalogue, Unit};
use crate::settings::Settings;
use crate::standing::{Paid, Standing};

/// Months of history.
pub const KEPT_MONTHS: u32 = 25;

/// The first day of the month, on the calendars of France.
fn month_of(now: DateTime<Utc>) -> NaiveDate {
    let day = now.with_timezone(&Paris).date_naive();
    day.with_day(1).unwrap_or(day)
}

fn fresh(org_id: Uuid, now: DateTime<Utc>) -> Account {
    Account {
        org_id,
        trial_ends_at: now + Catalogue::at(now).trial(),
        plan: None,
        period_start: None,
        period_end: None,
        grace_ends_at: None,
        ends_at: None,
        created_at: now,
    }
}

/// An organization is made: its trial begins.
pub async fn open(tx: &mut Tx, org: Uuid) -> Result<()> {
    let account = fresh(org, tx.app().now());
    model::insert_account(tx, &account).await?;
    Ok(())
}

async fn account(conn: &mut AsyncPgConnection, org: Uuid, now: DateTime<Utc>) -> Result<Account> {
    if let Some(known) = model::account(conn, org).await? {
        return Ok(known);
    }
    // Of an organization that came another way, for instance by an import.
    model::insert_account(conn, &fresh(org, now)).await?;
    Ok(model::account(conn, org).await?.unwrap_or_else(|| fresh(org, now)))
}

/// What an organization may do now.
pub async fn standing(app: &App, conn: &mut AsyncPgConnection, org: Uuid) -> Result<Standing> {
    let (settings, now) = (app.get::<Settings>()?, app.now());
    Ok(Standing::of(&account(conn, org, now).await?, settings, now))
}

/// `billing` says what is paid for; none: nothing any more.
pub async fn pay(tx: &mut Tx, org: Uuid, paid: Option<&Paid>) -> Result<()> {
    let now = tx.app().now();
    account(tx, org, now).await?;
    let Some(mut account) = model::lock_account(tx, org).await? else { return Ok(()) };
    account.plan = paid.map(|paid| paid.plan.name().to_owned());
    account.period_start = paid.map(|paid| paid.period_start);
    account.period_end = paid.map(|paid| paid.period_end);
    account.grace_ends_at = paid.and_then(|paid| paid.grace_ends_at);
    account.ends_at = paid.and_then(|paid| paid.ends_at);
    model::save_account(tx, &account).await?;
    Ok(())
}

/// Counts one of a monthly unit in the transaction that accepts it; a key that was counted before is not counted again.
///
/// # Errors
/// `PLAN_LIMIT_REACHED`: the transaction must not be committed.
pub async fn count(tx: &mut Tx, org: Uuid, unit: Unit, key: &str) -> Result<()> {
    let (app, now) = (tx.app().clone(), tx.app().now());
    let standing = standing(&app, tx, org).await?;
    match model::count(tx, org, unit, key, (month_of(now), now)).await? {
        Some(used) => judge(tx, org, unit, &standing, used).await,
        None => Ok(()),
    }
}

/// Looks before any effort whether [`count`] would refuse.
///
/// # Errors
/// `PLAN_LIMIT_REACHED`.
pub async fn check(app: &App, org: Uuid, unit: Unit, key: &str) -> Result<()> {
    let mut conn = app.conn().await?;
    let standing = standing(app, &mut conn, org).await?;
    let Some(limit) = standing.limit(unit) else { return Ok(()) };
    let used = used_now(&mut conn, org, unit, app.now()).await?;
    if used < limit || model::is_counted(&mut conn, org, unit, key).await? {
        return Ok(());
    }
    Err(error::limit_reached(unit, &standing, limit, used))
}

/// Counts a request by an API key; people are not counted.
///
/// # Errors
/// `PLAN_LIMIT_REACHED`.
pub async fn call(app: &App, actor: &Actor, key: Option<&str>) -> Result<()> {
    let Credential::ApiKey(api_key) = actor.credential else { return Ok(()) };
    let (org, unit, now) = (actor.org_id, Unit::ApiCalls, app.now());
    let key = key.map_or_else(|| Uuid::now_v7().simple().to_string(), |key| format!("{}:{key}", api_key.simple()));
    // Without a transaction: that is two round trips a request instead of four, and one too many is taken back.
    let mut conn = app.conn().await?;
    let standing = standing(app, &mut conn, org).await?;
    let month = month_of(now);
    let Some(used) = model::count(&mut conn, org, unit, &key, (month, now)).await? else { return Ok(()) };
    let Some(limit) = standing.limit(unit) else { return Ok(()) };
    if used > limit {
        model::uncount(&mut conn, org, unit, &key, month).await?;
        return Err(error::limit_reached(unit, &standing, limit, limit));
    }
    drop(conn);
    if is_near(used, limit, now) && !is_near(used - 1, limit, now) {
        let mut tx = app.begin().await?;
        warn(&mut tx, org, unit, &standing, (used, limit)).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// The organization's account, locked until the transaction ends: who counts what is held counts alone.
pub struct Gate {
    org: Uuid,
    standing: Standing,
}

/// Locks an organization's account, before what it holds is counted.
pub async fn gate(tx: &mut Tx, org: Uuid) -> Result<Gate> {
    let (settings, now) = (tx.app().get::<Settings>()?, tx.app().now());
    let known = account(tx, org, now).await?;
    let locked = model::lock_account(tx, org).await?.unwrap_or(known);
    Ok(Gate { org, standing: Standing::of(&locked, settings, now) })
}

impl Gate {
    /// Accepts that so many of a unit are held, the new one among them.
    ///
    /// # Errors
    /// `PLAN_LIMIT_REACHED`: the transaction must not be committed.
    pub async fn hold(&self, tx: &mut Tx, unit: Unit, used: usize) -> Result<()> {
        let used = i32::try_from(used).unwrap_or(i32::MAX);
        let month = month_of(tx.app().now());
        model::hold(tx, self.org, unit, month, used).await?;
        judge(tx, self.org, unit, &self.standing, used).await
    }
}

/// Notes that so many of a unit are held now; for what makes room, and for what is never refused.
pub async fn note(tx: &mut Tx, org: Uuid, unit: Unit, used: usize) -> Result<()> {
    let month = month_of(tx.app().now());
    model::hold(tx, org, unit, month, i32::try_from(used).unwrap_or(i32::MAX)).await?;
    Ok(())
}

async fn judge(tx: &mut Tx, org: Uuid, unit: Unit, standing: &Standing, used: i32) -> Result<()> {
    let Some(limit) = standing.limit(unit) else { return Ok(()) };
    if used > limit {
        return Err(error::limit_reached(unit, standing, limit, used - 1));
    }
    if is_near(used, limit, tx.app().now()) {
        warn(tx, org, unit, standing, (used, limit)).await?;
    }
    Ok(())
}

fn is_near(used: i32, limit: i32, now: DateTime<Utc>) -> bool {
    i64::from(used) * 100 >= i64::from(limit) * Catalogue::at(now).warn_at_percent
}

async fn warn(tx: &mut Tx, org_id: Uuid, unit: Unit, standing: &Standing, (used, limit): (i32, i32)) -> Result<()> {
    let now = tx.app().now();
    if model::warn(tx, org_id, unit, (month_of(now), now)).await? {
        tx.announce(&LimitNear { org_id, unit, used, limit, plan: standing.plan.code }).await?;
    }
    Ok(())
}

/// How much of a unit is used: this month, or of what is held, when it was last counted.
async fn used_now(conn: &mut AsyncPgConnection, org: Uuid, unit: Unit, now: DateTime<Utc>) -> Result<i32> {
    let month = month_of(now);
    let from = if unit.is_monthly() { month } else { earliest(now) };
    Ok(model::usage(conn, org, unit, (from, 1)).await?.first().map_or(0, |usage| usage.used))
}

fn earliest(now: DateTime<Utc>) -> NaiveDate {
    let month = month_of(now);
    month.checked_sub_months(Months::new(KEPT_MONTHS)).unwrap_or(month)
}

/// What an organization may do, and how much of each unit it uses.
pub(crate) async fn mine(app: &App, actor: &Actor) -> Result<(Standing, Vec<(Unit, i32)>)> {
    actor.may(Right::Read)?;
    let mut conn = app.conn().await?;
    let standing = standing(app, &mut conn, actor.org_id).await?;
    let mut used = Vec::new();
    for unit in Unit::ALL {
        used.push((unit, used_now(&mut conn, actor.org_id, unit, app.now()).await?));
    }
    Ok((standing, used))
}

/// The last months of a unit, the newest first; months without any have none of it.
pub(crate) async fn history(app: &App, actor: &Actor, unit: Unit, months: u32) -> Result<Vec<Usage>> {
    actor.may(Right::Read)?;
    let now = app.now();
    let months = months.clamp(1, KEPT_MONTHS);
    let from = month_of(now).checked_sub_months(Months::new(months - 1)).unwrap_or_else(|| month_of(now));
    let known = model::usage(&mut *app.conn().await?, actor.org_id, unit, (from, i64::from(months))).await?;
    let all = (0..months).filter_map(|back| month_of(now).checked_sub_months(Months::new(back)));
    let of = |month: NaiveDate| known.iter().find(|usage| usage.month == month).cloned();
    Ok(all.map(|month| of(month).unwrap_or(Usage { month, used: 0, peak: 0 })).collect())
}
