use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};
use keroxio_core::{Access, GqlResult, Page, RequestContext as _, access, connection};
use uuid::Uuid;

use super::types::{Contact, Lead, LeadAlias, LeadBoard, LeadFilter, LeadForm, LeadStage, LeadStatistics, LeadTask};
use crate::kinds::{LeadPeriod, LeadTaskState};
use crate::{aliases, form, service};

#[derive(Default)]
pub struct CrmQuery;

#[Object]
impl CrmQuery {
    /// A form that anybody may fill in for `submitLead`, for an ad that is shown on its page. `NOT_FOUND` for every other.
    #[graphql(directive = access::apply(Access::Open))]
    async fn lead_form(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The advertisement.")] listing_id: Uuid,
    ) -> GqlResult<LeadForm> {
        let token = Box::pin(form::open(ctx.app(), listing_id)).await?;
        Ok(LeadForm { token, consent_version: form::CONSENT_VERSION.to_owned() })
    }

    /// A lead of your organization.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn lead(&self, ctx: &Context<'_>, #[graphql(desc = "Its identifier.")] id: Uuid) -> GqlResult<Lead> {
        Ok(Box::pin(service::get(ctx.app(), &ctx.actor()?, id)).await?.into())
    }

    /// Leads of your organization, newest first.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read), complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity")]
    async fn leads(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which; all by default.")] filter: Option<LeadFilter>,
        #[graphql(desc = "Page size, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the last row already seen.")] after: Option<String>,
    ) -> GqlResult<Connection<String, Lead, EmptyFields, EmptyFields>> {
        let page = Page::new(first, after.as_deref())?;
        let search = filter.unwrap_or_default().into();
        let rows = Box::pin(service::list(ctx.app(), &ctx.actor()?, &search, page)).await?;
        Ok(connection(page, rows.into_iter().map(|row| (row.id, row.into())).collect()))
    }

    /// Your pipeline: every stage with its latest leads, and what they are worth.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read), complexity = "first.unwrap_or(10).clamp(1, 50) as usize * child_complexity")]
    async fn lead_board(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Leads of each stage, 1 to 50; 10 by default.")] first: Option<i32>,
    ) -> GqlResult<LeadBoard> {
        let most = first.unwrap_or(10).clamp(1, 50);
        Ok(Box::pin(service::board(ctx.app(), &ctx.actor()?, most.into())).await?.into())
    }

    /// The stages of your pipeline, in order.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn lead_stages(&self, ctx: &Context<'_>) -> GqlResult<Vec<LeadStage>> {
        Ok(Box::pin(service::stages(ctx.app(), &ctx.actor()?)).await?.into_iter().map(Into::into).collect())
    }

    /// Figures of the leads that came within a time: how many, how many were won, how fast they were answered.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read), complexity = "20 + child_complexity")]
    async fn lead_statistics(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "From this moment on.")] from: DateTime<Utc>,
        #[graphql(desc = "Until before this moment, at most three years later.")] to: DateTime<Utc>,
        #[graphql(desc = "By what they are cut; months by default.")] period: Option<LeadPeriod>,
    ) -> GqlResult<LeadStatistics> {
        let period = period.unwrap_or(LeadPeriod::Month).name();
        Ok(Box::pin(service::statistics(ctx.app(), &ctx.actor()?, (from, to), period)).await?.into())
    }

    /// Tasks of your organization, newest first.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read), complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity")]
    async fn lead_tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which; all by default.")] state: Option<LeadTaskState>,
        #[graphql(desc = "Those of this user.")] assigned_to: Option<Uuid>,
        #[graphql(desc = "Page size, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the last row already seen.")] after: Option<String>,
    ) -> GqlResult<Connection<String, LeadTask, EmptyFields, EmptyFields>> {
        let page = Page::new(first, after.as_deref())?;
        let rows = Box::pin(service::tasks(ctx.app(), &ctx.actor()?, (state, assigned_to), page)).await?;
        Ok(connection(page, rows.into_iter().map(|row| (row.id, row.into())).collect()))
    }

    /// Somebody who asked about a car of yours.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn contact(&self, ctx: &Context<'_>, #[graphql(desc = "Its identifier.")] id: Uuid) -> GqlResult<Contact> {
        Ok(Box::pin(service::contact(ctx.app(), &ctx.actor()?, id)).await?.into())
    }

    /// People who asked about cars of yours, newest first.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read), complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity")]
    async fn contacts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An e-mail address, a telephone number, or part of a name.")] search: Option<String>,
        #[graphql(desc = "Page size, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the last row already seen.")] after: Option<String>,
    ) -> GqlResult<Connection<String, Contact, EmptyFields, EmptyFields>> {
        let page = Page::new(first, after.as_deref())?;
        let rows = Box::pin(service::contacts(ctx.app(), &ctx.actor()?, search.as_deref(), page)).await?;
        Ok(connection(page, rows.into_iter().map(|row| (row.id, row.into())).collect()))
    }

    /// The addresses your leads are mailed to, newest first; `rotateLeadAlias` makes them.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read), complexity = "10 * child_complexity")]
    async fn lead_aliases(&self, ctx: &Context<'_>) -> GqlResult<Vec<LeadAlias>> {
        Ok(Box::pin(aliases::list(ctx.app(), &ctx.actor()?)).await?.into_iter().map(Into::into).collect())
    }
}
