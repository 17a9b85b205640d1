use async_graphql::{Context, Object};
use chrono::Duration;
use keroxio_core::{Access, Error, GqlResult, RequestContext as _, access, follow, ledger};
use uuid::Uuid;

use crate::graphql::{Job, JobState};

#[derive(Default)]
pub struct JobsMutation;

#[Object]
impl JobsMutation {
    /// Calls off a job of your organization: one that waits never starts, one that runs is interrupted. Follow
    /// it with `jobUpdated` until it is `CANCELLED`; what it worked on then says so. A job that has ended
    /// stays as it is. Some kinds cannot be called off (`JOB_NOT_CANCELLABLE`).
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn cancel_job(&self, ctx: &Context<'_>, #[graphql(desc = "The job.")] id: Uuid) -> GqlResult<Job> {
        Ok(Box::pin(follow::cancel(ctx.app(), ctx.actor()?.org_id, id)).await?.into())
    }

    /// Gives dead jobs all their attempts again and answers how many. For staff only.
    #[graphql(guard = "Access::Staff", directive = access::apply(Access::Staff))]
    async fn retry_jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The jobs, 100 at most; those that are not dead are passed over.",
            validator(max_items = 100)
        )]
        ids: Vec<Uuid>,
    ) -> GqlResult<i32> {
        if ids.is_empty() {
            return Ok(0);
        }
        let app = ctx.app();
        let mut conn = app.conn().await?;
        let retried = Box::pin(ledger::retry(&mut conn, &ids, app.now())).await.map_err(Error::from)?;
        Ok(i32::try_from(retried).unwrap_or(i32::MAX))
    }

    /// Deletes jobs that ended long enough ago and answers how many. For staff only.
    #[graphql(guard = "Access::Staff", directive = access::apply(Access::Staff))]
    async fn purge_jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How they ended: `DONE`, `DEAD` or `CANCELLED`.")] state: JobState,
        #[graphql(desc = "How many days ago at least.", validator(minimum = 0, maximum = 3650))] days: i32,
    ) -> GqlResult<i32> {
        let state = ledger::JobState::from(state);
        if !ledger::JobState::ENDED.contains(&state) {
            return Err(Error::bad_input(
                "Seules les tâches terminées peuvent être supprimées : DONE, DEAD ou CANCELLED.",
                "Only ended jobs can be deleted: DONE, DEAD or CANCELLED.",
            )
            .into());
        }
        let app = ctx.app();
        let mut conn = app.conn().await?;
        let before = app.now() - Duration::days(days.into());
        let purged = Box::pin(ledger::purge(&mut conn, state, before)).await.map_err(Error::from)?;
        Ok(i32::try_from(purged).unwrap_or(i32::MAX))
    }
}
