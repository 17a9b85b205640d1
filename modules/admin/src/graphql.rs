use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{Context, Object};
use keroxio_auth::oversight;
use keroxio_auth::trail::{self, Whose};
use keroxio_core::{Access, App, GqlResult, Page, RequestContext as _, Result, Role, access, connection};
use uuid::Uuid;

use crate::service;
use crate::types::{Impersonation, MemberRecord, OrganizationRecord, TrailStep, UserRecord};

/// Members a page of organizations shows for each.
const MEMBERS: usize = 50;

#[derive(Default)]
pub struct OversightQuery;

#[Object]
impl OversightQuery {
    /// Organizations, the newest first.
    #[graphql(
        guard = "Access::Staff",
        directive = access::apply(Access::Staff),
        complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity"
    )]
    async fn organizations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The beginning of a name, or a SIREN.", validator(max_length = 120))] search: Option<String>,
        #[graphql(desc = "Those on hold only.", default)] suspended: bool,
        #[graphql(desc = "Page size, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the last row already seen.")] after: Option<String>,
    ) -> GqlResult<Connection<String, OrganizationRecord, EmptyFields, EmptyFields>> {
        let page = Page::new(first, after.as_deref())?;
        let rows = Box::pin(oversight::organizations(ctx.app(), search.as_deref(), suspended, page)).await?;
        let mut records: Vec<OrganizationRecord> = rows.into_iter().map(Into::into).collect();
        if ctx.look_ahead().field("nodes").field("members").exists()
            || ctx.look_ahead().field("edges").field("node").field("members").exists()
        {
            add_members(ctx.app(), &mut records).await?;
        }
        Ok(connection(page, records.into_iter().map(|record| (record.id, record)).collect()))
    }

    /// People with an account, the newest first.
    #[graphql(
        guard = "Access::Staff",
        directive = access::apply(Access::Staff),
        complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity"
    )]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The beginning of an e-mail address.", validator(max_length = 254))] search: Option<String>,
        #[graphql(desc = "Page size, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the last row already seen.")] after: Option<String>,
    ) -> GqlResult<Connection<String, UserRecord, EmptyFields, EmptyFields>> {
        let page = Page::new(first, after.as_deref())?;
        let rows = Box::pin(oversight::users(ctx.app(), search.as_deref(), page)).await?;
        Ok(connection(page, rows.into_iter().map(|user| (user.id, user.into())).collect()))
    }

    /// What was done by somebody, in an organization, or by one of staff; the latest first.
    #[graphql(
        guard = "Access::Staff",
        directive = access::apply(Access::Staff),
        complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity"
    )]
    async fn staff_trail(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "In this organization only.")] organization_id: Option<Uuid>,
        #[graphql(desc = "In the name of this person only.")] user_id: Option<Uuid>,
        #[graphql(desc = "By this one of staff only.")] staff_id: Option<Uuid>,
        #[graphql(desc = "Page size, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the last row already seen.")] after: Option<String>,
    ) -> GqlResult<Connection<String, TrailStep, EmptyFields, EmptyFields>> {
        let page = Page::new(first, after.as_deref())?;
        let whose = Whose { org_id: organization_id, user_id, staff_id, api_key_id: None };
        let steps = Box::pin(trail::of(ctx.app(), whose, page)).await?;
        Ok(connection(page, steps.into_iter().map(|step| (step.id, step.into())).collect()))
    }
}

async fn add_members(app: &App, records: &mut [OrganizationRecord]) -> Result<()> {
    let ids: Vec<Uuid> = records.iter().map(|record| record.id).collect();
    for (org, role, user) in Box::pin(oversight::members_of_all(app, &ids)).await? {
        let Some(record) = records.iter_mut().find(|record| record.id == org) else { continue };
        if record.members.len() < MEMBERS {
            let role = Role::named(&role).unwrap_or(Role::ReadOnly);
            record.members.push(MemberRecord { user: user.into(), role });
        }
    }
    Ok(())
}

#[derive(Default)]
pub struct OversightMutation;

#[Object]
impl OversightMutation {
    /// An access token in the place of a member, for fifteen minutes. It works on cars and advertisements, and reaches
    /// neither money, members, settings nor the account itself. The organization is told why, and all that is asked with it
    /// is written down.
    #[graphql(guard = "Access::Staff", directive = access::apply(Access::Staff))]
    async fn impersonate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization.")] organization_id: Uuid,
        #[graphql(desc = "The member of it.")] user_id: Uuid,
        #[graphql(desc = "Why, 10 to 500 characters; the organization reads it.")] reason: String,
    ) -> GqlResult<Impersonation> {
        let actor = ctx.actor()?;
        Ok(Box::pin(service::impersonate(ctx.app(), &actor, organization_id, user_id, &reason)).await?)
    }

    /// Puts an organization on hold: its members see and export what is theirs and change nothing, and its pages are shown
    /// to nobody.
    #[graphql(guard = "Access::Staff", directive = access::apply(Access::Staff))]
    async fn suspend_organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization.")] id: Uuid,
        #[graphql(desc = "Why, 10 to 500 characters; the organization reads it.")] reason: String,
    ) -> GqlResult<OrganizationRecord> {
        Ok(Box::pin(service::hold(ctx.app(), &ctx.actor()?, id, true, &reason)).await?.into())
    }

    /// Takes an organization up again that was on hold.
    #[graphql(guard = "Access::Staff", directive = access::apply(Access::Staff))]
    async fn reinstate_organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization.")] id: Uuid,
        #[graphql(desc = "Why, 10 to 500 characters; the organization reads it.")] reason: String,
    ) -> GqlResult<OrganizationRecord> {
        Ok(Box::pin(service::hold(ctx.app(), &ctx.actor()?, id, false, &reason)).await?.into())
    }
}
