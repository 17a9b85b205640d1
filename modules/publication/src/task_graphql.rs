use async_graphql::{ComplexObject, Context, Object, SimpleObject};
use chrono::{DateTime, NaiveDate, Utc};
use keroxio_core::{Access, GqlResult, RequestContext as _, access};
use keroxio_listing::{Ads, Listing};
use uuid::Uuid;

use crate::error;
use crate::tasks::{self, Deadlines, Task};

/// Something to be done for a car by a day.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct SaleTask {
    #[graphql(skip)]
    task: Task,
    /// Identifier.
    id: Uuid,
    /// Stable code, for instance `DECLARE_SALE`.
    kind: String,
    /// What is to be done, in French.
    title: String,
    /// The same in English.
    title_en: String,
    /// What the deadline rests on.
    article: String,
    /// Last day.
    due_on: NaiveDate,
    /// When it was done, or was no longer to be done; null while it is open.
    closed_at: Option<DateTime<Utc>>,
    /// Who did it; null where the facts closed it.
    done_by: Option<Uuid>,
}

impl SaleTask {
    fn of(task: Task, deadlines: &Deadlines) -> Self {
        let deadline = deadlines.get(&task.kind);
        let said = |say: fn(&tasks::Deadline) -> &String| deadline.map(say).cloned().unwrap_or_default();
        Self {
            id: task.id,
            kind: task.kind.clone(),
            title: said(|deadline| &deadline.fr),
            title_en: said(|deadline| &deadline.en),
            article: said(|deadline| &deadline.article),
            due_on: task.due_on,
            closed_at: task.closed_at,
            done_by: task.done_by,
            task,
        }
    }
}

#[ComplexObject]
impl SaleTask {
    /// The listing of the car.
    async fn listing(&self, ctx: &Context<'_>) -> GqlResult<Listing> {
        let ad = ctx.load::<Ads>((self.task.org_id, self.task.listing_id)).await?;
        Ok(ad.ok_or_else(error::not_found)?.into())
    }
}

#[derive(Default)]
pub struct TaskQuery;

#[Object]
impl TaskQuery {
    /// What is to be done for your cars by a day, the nearest first: papers that run out, sales to be declared. They
    /// follow from the facts, and you are reminded. What is to be done on portals is `Publication.task`.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read), complexity = "first.unwrap_or(50).clamp(1, 200) as usize * child_complexity")]
    async fn sale_tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whether open ones are wanted, or those that are over, latest first.", default = true)]
        open: bool,
        #[graphql(desc = "At most so many, 1 to 200; 50 by default.")] first: Option<i32>,
    ) -> GqlResult<Vec<SaleTask>> {
        let (app, actor) = (ctx.app(), ctx.actor()?);
        let most = i64::from(first.unwrap_or(50).clamp(1, 200));
        let deadlines: Deadlines = app.get()?;
        let tasks = Box::pin(tasks::list(app, actor.org_id, open, most)).await?;
        Ok(tasks.into_iter().map(|task| SaleTask::of(task, &deadlines)).collect())
    }
}

#[derive(Default)]
pub struct TaskMutation;

#[Object]
impl TaskMutation {
    /// You have done a task.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn complete_sale_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task.")] id: Uuid,
    ) -> GqlResult<SaleTask> {
        let task = Box::pin(tasks::mark(ctx.app(), &ctx.actor()?, id, true)).await?;
        Ok(SaleTask::of(task, &ctx.app().get::<Deadlines>()?))
    }

    /// You have not done a task after all.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn reopen_sale_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task.")] id: Uuid,
    ) -> GqlResult<SaleTask> {
        let task = Box::pin(tasks::mark(ctx.app(), &ctx.actor()?, id, false)).await?;
        Ok(SaleTask::of(task, &ctx.app().get::<Deadlines>()?))
    }
}
