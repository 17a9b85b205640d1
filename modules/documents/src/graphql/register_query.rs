use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{Context, Object};
use chrono::NaiveDate;
use keroxio_core::{Access, GqlResult, Page, RequestContext as _, Result, access, connection};
use uuid::Uuid;

use super::register_types::{RegisterCheck, RegisterEntry};
use crate::{http, register, verify};

#[derive(Default)]
pub struct RegisterQuery;

#[Object]
impl RegisterQuery {
    /// The police register of a site of yours, the latest entry first.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read), complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity")]
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The site.")] site_id: Uuid,
        #[graphql(desc = "Written on this day or later.")] from: Option<NaiveDate>,
        #[graphql(desc = "Written on this day or before.")] to: Option<NaiveDate>,
        #[graphql(desc = "Page size, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the last row already seen.")] after: Option<String>,
    ) -> GqlResult<Connection<String, RegisterEntry, EmptyFields, EmptyFields>> {
        let page = Page::new(first, after.as_deref())?;
        let rows = Box::pin(register::list(ctx.app(), &ctx.actor()?, site_id, (from, to), page)).await?;
        let entries = rows.into_iter().map(|row| Ok((row.id, RegisterEntry::of(row)?)));
        Ok(connection(page, entries.collect::<Result<_>>()?))
    }

    /// Looks at a whole register: whether every entry is as it was written and none is missing.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read), complexity = "50 + child_complexity")]
    async fn register_check(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The site.")] site_id: Uuid,
    ) -> GqlResult<RegisterCheck> {
        Ok(Box::pin(verify::check(ctx.app(), &ctx.actor()?, site_id)).await?.into())
    }

    /// Private address of the register of a site as a file, for the days on which entries were written, good for an hour:
    /// for an inspection. A register that was tampered with is not printed.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn register_pdf_url(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The site.")] site_id: Uuid,
        #[graphql(desc = "First day.")] from: NaiveDate,
        #[graphql(desc = "Last day, at most a year later.")] to: NaiveDate,
    ) -> GqlResult<String> {
        let (app, actor) = (ctx.app(), ctx.actor()?);
        Box::pin(register::head_of(app, &actor, site_id)).await?;
        verify::printable(from, to)?;
        Ok(http::register_url(app, site_id, from, to)?)
    }
}
