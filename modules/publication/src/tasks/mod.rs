//! What a seller has to do for a car by a day. Tasks follow from the facts: they open, move and close with them, and
//! the seller is reminded in time.

mod deadline;
mod job;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use keroxio_core::{Actor, App, Error, Result, Right, Tx};
use keroxio_notification::{Notice, NotificationKind};
use keroxio_vehicle::histovec;
use uuid::Uuid;

pub use deadline::{Deadline, Deadlines};
pub use job::{ReviewAll, ReviewCar, ReviewListing};

use crate::tables::publication_tasks::{self, dsl};
use deadline::Sale;

/// Tasks told at once.
const MOST: i64 = 200;

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = publication_tasks, treat_none_as_null = true)]
pub struct Task {
    pub id: Uuid,
    pub org_id: Uuid,
    pub listing_id: Uuid,
    pub kind: String,
    pub due_on: NaiveDate,
    pub opened_at: DateTime<Utc>,
    /// Days before the deadline for which the seller was reminded last.
    pub reminded_days: Option<i32>,
    /// When it was done, or was no longer to be done.
    pub closed_at: Option<DateTime<Utc>>,
    pub done_by: Option<Uuid>,
}

/// Makes the tasks of a listing what follows from its car now, and reminds the seller of those that are near.
pub(crate) async fn review(tx: &mut Tx, listing: Uuid) -> Result<()> {
    let Some(ad) = keroxio_listing::service::locked_ad(tx, listing).await? else { return Ok(()) };
    let vehicle = keroxio_vehicle::service::get(tx, ad.org_id, ad.vehicle_id).await?;
    let report = histovec::of(tx, vehicle.id).await?;
    let (deadlines, now) = (tx.app().get::<Deadlines>()?, tx.app().now());
    let today = now.date_naive();
    let sale = Sale { vehicle: &vehicle, report: report.as_ref(), sold_at: ad.sold_at, today };
    let due = deadlines.of(&sale);
    let mut known = of_listing(tx, listing).await?;
    for task in &mut known {
        let wanted = due.iter().any(|(deadline, on)| deadline.code == task.kind && *on == task.due_on);
        if !wanted && task.closed_at.is_none() {
            task.closed_at = Some(now);
            save(tx, task).await?;
        }
    }
    for (deadline, on) in due {
        let same = known.iter().find(|task| task.kind == deadline.code && task.due_on == on);
        let mut task = match same {
            // Somebody has done it.
            Some(task) if task.done_by.is_some() => continue,
            Some(task) => Task { closed_at: None, ..task.clone() },
            None => Task {
                id: Uuid::now_v7(),
                org_id: ad.org_id,
                listing_id: listing,
                kind: deadline.code.clone(),
                due_on: on,
                opened_at: now,
                reminded_days: None,
                closed_at: None,
                done_by: None,
            },
        };
        remind(tx, &mut task, deadline, ad.title.as_deref().unwrap_or_default()).await?;
        save(tx, &task).await?;
    }
    Ok(())
}

/// Once for each of the days on which a deadline is to be remembered.
async fn remind(tx: &mut Tx, task: &mut Task, deadline: &Deadline, title: &str) -> Result<()> {
    let left = (task.due_on - tx.app().now().date_naive()).num_days();
    let passed = deadline.remind_days.iter().filter(|days| left <= **days).min();
    let Some(days) = passed.and_then(|days| i32::try_from(*days).ok()) else { return Ok(()) };
    if task.reminded_days.is_some_and(|reminded| reminded <= days) {
        return Ok(());
    }
    task.reminded_days = Some(days);
    let on = task.due_on;
    let notice = Notice {
        org_id: task.org_id,
        kind: NotificationKind::SaleTaskDue,
        title_fr: format!("Avant le {} : {} {title}", on.format("%d/%m/%Y"), deadline.fr),
        title_en: format!("By {on}: {} {title}", deadline.en),
        subject_id: Some(task.id),
    };
    keroxio_notification::service::notify(tx, notice).await
}

async fn of_listing(conn: &mut AsyncPgConnection, listing: Uuid) -> QueryResult<Vec<Task>> {
    let known = publication_tasks::table.filter(dsl::listing_id.eq(listing)).order(dsl::id);
    known.select(Task::as_select()).for_update().load(conn).await
}

/// The tasks of a listing, open and closed; the caller has checked whose it is.
pub async fn tasks_of(conn: &mut AsyncPgConnection, listing: Uuid) -> Result<Vec<Task>> {
    let known = publication_tasks::table.filter(dsl::listing_id.eq(listing)).order(dsl::id);
    Ok(known.select(Task::as_select()).load(conn).await?)
}

async fn save(conn: &mut AsyncPgConnection, task: &Task) -> QueryResult<usize> {
    let insert = diesel::insert_into(publication_tasks::table).values(task);
    insert.on_conflict(dsl::id).do_update().set(task).execute(conn).await
}

/// Tasks of an organization: the open ones by their days, or the closed ones, latest first.
pub(crate) async fn list(app: &App, org: Uuid, open: bool, most: i64) -> Result<Vec<Task>> {
    let mut conn = app.conn().await?;
    let mine = publication_tasks::table.filter(dsl::org_id.eq(org)).select(Task::as_select()).limit(most.min(MOST));
    Ok(if open {
        mine.filter(dsl::closed_at.is_null()).order((dsl::due_on, dsl::id)).load(&mut conn).await?
    } else {
        mine.filter(dsl::closed_at.is_not_null()).order(dsl::closed_at.desc()).load(&mut conn).await?
    })
}

/// Somebody has done a task, or has not after all.
///
/// # Errors
/// `NOT_FOUND`.
pub(crate) async fn mark(app: &App, actor: &Actor, id: Uuid, done: bool) -> Result<Task> {
    actor.may(Right::Stock)?;
    let mut tx = app.begin().await?;
    let mine = publication_tasks::table.filter(dsl::org_id.eq(actor.org_id).and(dsl::id.eq(id)));
    let task = mine.select(Task::as_select()).for_update().first(&mut *tx).await.optional()?;
    let mut task = task.ok_or_else(|| Error::not_found("Tâche", "Task"))?;
    (task.closed_at, task.done_by) = if done { (Some(app.now()), Some(actor.user_id)) } else { (None, None) };
    save(&mut tx, &task).await?;
    tx.commit().await?;
    Ok(task)
}
