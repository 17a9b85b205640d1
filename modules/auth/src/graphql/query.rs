use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{Context, Object, SimpleObject};
use keroxio_core::{
    Access, App, Error, GqlResult, Limits, Page, RequestContext as _, Result, Role, access, as_system, connection,
};
use uuid::Uuid;

use super::audit::AuditStep;
use super::types::{ApiKey, Device, EmailStanding, Invitation, Member, Membership, Site, Viewer};
use crate::{accounts, api_keys, members, model, organizations, sessions, trail};

/// How much you may ask of the API.
#[derive(SimpleObject)]
pub struct ApiLimits {
    /// Points you may spend at once. A field is about one point, times the rows of its list; every answer tells in
    /// `extensions.cost` what it took.
    capacity: u32,
    /// Points that come back each second.
    per_second: u32,
    /// Points that are left now.
    remaining: i64,
}

pub async fn memberships(app: &App, user: Uuid) -> Result<Vec<Membership>> {
    let rows =
        as_system(async { Ok::<_, Error>(Box::pin(model::memberships(&mut *app.conn().await?, user)).await?) }).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

#[derive(Default)]
pub struct AuthQuery;

#[Object]
impl AuthQuery {
    /// Who is signed in.
    #[graphql(guard = "Access::Person", directive = access::apply(Access::Person))]
    async fn viewer(&self, ctx: &Context<'_>) -> GqlResult<Viewer> {
        let actor = ctx.actor()?;
        let mut conn = ctx.app().conn().await?;
        let account = Box::pin(model::account(&mut conn, actor.user_id, actor.org_id)).await.map_err(Error::from)?;
        let (user, organization, role) = account.ok_or_else(Error::unauthenticated)?;
        Ok(Viewer::new(user, organization, Role::named(&role).unwrap_or(Role::ReadOnly)))
    }

    /// Whether letters reach your address.
    #[graphql(guard = "Access::Person", directive = access::apply(Access::Person))]
    async fn email_standing(&self, ctx: &Context<'_>) -> GqlResult<EmailStanding> {
        Ok(Box::pin(as_system(accounts::email_standing(ctx.app(), &ctx.actor()?))).await?.into())
    }

    /// Where you are signed in, the last seen first.
    #[graphql(guard = "Access::Person", directive = access::apply(Access::Person), complexity = "10 * child_complexity")]
    async fn devices(&self, ctx: &Context<'_>) -> GqlResult<Vec<Device>> {
        let actor = ctx.actor()?;
        let current = actor.person()?;
        let rows = as_system(sessions::list(ctx.app(), &actor)).await?;
        Ok(rows.into_iter().map(|row| Device::new(row, current)).collect())
    }

    /// People of your organization.
    #[graphql(guard = "Access::Members", directive = access::apply(Access::Members), complexity = "20 * child_complexity")]
    async fn members(&self, ctx: &Context<'_>) -> GqlResult<Vec<Member>> {
        let rows = Box::pin(members::list(ctx.app(), &ctx.actor()?)).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Invitations to your organization that can still be accepted.
    #[graphql(guard = "Access::Members", directive = access::apply(Access::Members), complexity = "20 * child_complexity")]
    async fn invitations(&self, ctx: &Context<'_>) -> GqlResult<Vec<Invitation>> {
        let rows = Box::pin(members::invitations(ctx.app(), &ctx.actor()?)).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Places where your organization sells, by name.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read), complexity = "20 * child_complexity")]
    async fn sites(&self, ctx: &Context<'_>) -> GqlResult<Vec<Site>> {
        let rows = Box::pin(organizations::sites(ctx.app(), &ctx.actor()?)).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// API keys of your organization, the newest first; those that no longer work among them.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings), complexity = "20 * child_complexity")]
    async fn api_keys(&self, ctx: &Context<'_>) -> GqlResult<Vec<ApiKey>> {
        let rows = Box::pin(api_keys::list(ctx.app(), &ctx.actor()?)).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// What was done in your organization, by people, programs and the platform's staff, the latest first: every mutation
    /// and what came of it, log-ins, and whatever staff looked at. Without the right `SETTINGS` you see your own steps.
    /// Kept for a year.
    #[graphql(
        guard = "Access::Read",
        directive = access::apply(Access::Read),
        complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity"
    )]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of this member only.")] user_id: Option<Uuid>,
        #[graphql(desc = "Page size, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the last row already seen.")] after: Option<String>,
    ) -> GqlResult<Connection<String, AuditStep, EmptyFields, EmptyFields>> {
        let page = Page::new(first, after.as_deref())?;
        let steps = Box::pin(trail::list(ctx.app(), &ctx.actor()?, user_id, page)).await?;
        Ok(connection(page, steps.into_iter().map(|step| (step.id, step.into())).collect()))
    }

    /// How much you may ask of the API, and how much of that is left. What goes beyond is refused with
    /// `RATE_LIMITED`, status 429 and the seconds to wait.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn api_limits(&self, ctx: &Context<'_>) -> GqlResult<ApiLimits> {
        let (app, actor) = (ctx.app(), ctx.actor()?);
        let Some((name, limits)) = Limits::buckets(app, Some(&actor), None).into_iter().next() else {
            return Err(Error::unauthenticated().into());
        };
        let left = app.take(&name, limits.bucket(), 0.0).await.left;
        Ok(ApiLimits { capacity: limits.capacity, per_second: limits.per_second, remaining: left.floor() as i64 })
    }
}
