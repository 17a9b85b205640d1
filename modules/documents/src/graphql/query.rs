use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{Context, Object};
use keroxio_core::{Access, GqlResult, Page, RequestContext as _, access, connection};
use uuid::Uuid;

use super::register_types::SaleFileItem;
use super::types::{Paper, PaperFilter, SellerDetails};
use crate::{papers, sale_file, sellers};

#[derive(Default)]
pub struct PaperQuery;

#[Object]
impl PaperQuery {
    /// What your papers say of you.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn seller_details(&self, ctx: &Context<'_>) -> GqlResult<SellerDetails> {
        Ok(Box::pin(sellers::get(ctx.app(), &ctx.actor()?)).await?.into())
    }

    /// A quote, an invoice or a credit note of your organization.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn paper(&self, ctx: &Context<'_>, #[graphql(desc = "Its identifier.")] id: Uuid) -> GqlResult<Paper> {
        Ok(Box::pin(papers::get(ctx.app(), &ctx.actor()?, id)).await?.into())
    }

    /// Quotes, invoices and credit notes of your organization, the newest first.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read), complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity")]
    async fn papers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which; all by default.")] filter: Option<PaperFilter>,
        #[graphql(desc = "Page size, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the last row already seen.")] after: Option<String>,
    ) -> GqlResult<Connection<String, Paper, EmptyFields, EmptyFields>> {
        let page = Page::new(first, after.as_deref())?;
        let search = filter.unwrap_or_default().into();
        let rows = Box::pin(papers::list(ctx.app(), &ctx.actor()?, &search, page)).await?;
        Ok(connection(page, rows.into_iter().map(|row| (row.id, row.into())).collect()))
    }

    /// What the sale of a listing's car needs on paper, where each thing stands and how many days are left. It follows
    /// from what is known of the car, its papers and the register; a sale is declared by `completeSaleTask`.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read), complexity = "10 * child_complexity")]
    async fn sale_file(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The listing.")] listing_id: Uuid,
    ) -> GqlResult<Vec<SaleFileItem>> {
        let today = papers::today(ctx.app().now());
        let items = Box::pin(sale_file::of(ctx.app(), &ctx.actor()?, listing_id)).await?;
        Ok(items.into_iter().map(|item| SaleFileItem::of(&item, today)).collect())
    }
}
