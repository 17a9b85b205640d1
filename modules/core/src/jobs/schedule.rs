//! Jobs that recur. A slot is fired by whoever moves its row on, once.

use std::str::FromStr as _;

use chrono::{DateTime, Utc};
use chrono_tz::Europe::Paris;
use croner::Cron;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::enqueue::NewJob;
use super::job::BackgroundJob;
use crate::tables::core_schedules::dsl;
use crate::{App, Result};

/// A cron pattern of five fields, on the clocks of France.
#[derive(Debug, Clone, Copy)]
pub struct Recurrence(pub &'static str);

#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    name: String,
    pattern: Cron,
    job: NewJob,
}

impl Schedule {
    pub fn new<J: BackgroundJob>(recurrence: Recurrence, job: &J) -> anyhow::Result<Self> {
        let pattern = Cron::from_str(recurrence.0).map_err(|e| anyhow::anyhow!("`{}`: {e}", recurrence.0))?;
        let job = NewJob::of(job).map_err(|e| anyhow::anyhow!("{e}"))?;
        Ok(Self { name: J::NAME.to_owned(), pattern, job })
    }

    /// The first slot after a moment.
    fn next(&self, after: DateTime<Utc>) -> Result<DateTime<Utc>> {
        let next = self.pattern.find_next_occurrence(&after.with_timezone(&Paris), false);
        Ok(next.map_err(|e| anyhow::anyhow!("schedule {}: {e}", self.name))?.with_timezone(&Utc))
    }
}

/// Makes every known schedule a row. One whose pattern now says sooner is moved forward.
pub(crate) async fn install(app: &App) -> Result<()> {
    let mut conn = app.conn().await?;
    for schedule in app.jobs().schedules() {
        let next = schedule.next(app.now())?;
        diesel::insert_into(dsl::core_schedules)
            .values((dsl::name.eq(&schedule.name), dsl::next_at.eq(next)))
            .on_conflict(dsl::name)
            .do_update()
            .set(dsl::next_at.eq(diesel::dsl::sql("least(core_schedules.next_at, excluded.next_at)")))
            .execute(&mut conn)
            .await?;
    }
    Ok(())
}

/// Enqueues what is due. After a pause a job fires once, not once for every slot missed.
pub(crate) async fn fire(app: &App) -> Result<()> {
    let now = app.now();
    let due: Vec<(String, DateTime<Utc>)> = {
        let mut conn = app.conn().await?;
        let due = dsl::core_schedules.filter(dsl::next_at.le(now));
        due.select((dsl::name, dsl::next_at)).load(&mut conn).await?
    };
    for (name, slot) in due {
        let Some(schedule) = app.jobs().schedules().iter().find(|schedule| schedule.name == name) else { continue };
        let mut tx = app.begin().await?;
        let row = dsl::core_schedules.filter(dsl::name.eq(&name).and(dsl::next_at.eq(slot)));
        let moved = diesel::update(row).set(dsl::next_at.eq(schedule.next(now)?)).execute(&mut *tx).await?;
        if moved == 1 {
            tx.enqueue_new(vec![schedule.job.clone()]).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}
