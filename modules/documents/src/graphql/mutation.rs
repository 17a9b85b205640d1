use async_graphql::{Context, Object};
use keroxio_core::{Access, GqlResult, RequestContext as _, access};
use uuid::Uuid;

use super::types::{Paper, PaperDraftKind, SellerDetails};
use crate::input::{PaperInput, PaperLineInput};
use crate::papers::{self, Subject};
use crate::sellers::{self, SellerDetailsInput};
use crate::{credit, issue};

#[derive(Default)]
pub struct PaperMutation;

#[Object]
impl PaperMutation {
    /// Says who you are on your papers, in place of what was said before. Papers that are issued stay as they are.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings))]
    async fn set_seller_details(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "All of it.")] input: SellerDetailsInput,
    ) -> GqlResult<SellerDetails> {
        Ok(Box::pin(sellers::set(ctx.app(), &ctx.actor()?, input)).await?.into())
    }

    /// Begins a quote or an invoice. It may be incomplete: `Paper.faults` says what is missing, `issuePaper` gives it its
    /// number.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn draft_paper(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Quote or invoice.")] kind: PaperDraftKind,
        #[graphql(desc = "The listing whose car is sold.")] listing_id: Option<Uuid>,
        #[graphql(desc = "The car that is sold or worked upon, where no listing is given.")] vehicle_id: Option<Uuid>,
        #[graphql(desc = "What it says.")] input: PaperInput,
    ) -> GqlResult<Paper> {
        let subject = Subject { listing: listing_id, vehicle: vehicle_id };
        Ok(Box::pin(papers::draft(ctx.app(), &ctx.actor()?, kind.into(), subject, input)).await?.into())
    }

    /// Writes a draft anew; the car is looked at again. `PAPER_ISSUED` for what has its number: make a credit note.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn update_paper(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The draft.")] id: Uuid,
        #[graphql(desc = "What it says, all of it.")] input: PaperInput,
    ) -> GqlResult<Paper> {
        Ok(Box::pin(papers::update(ctx.app(), &ctx.actor()?, id, input)).await?.into())
    }

    /// Issues a draft: it gets the next number of its series, today's date and its file, and stays as it is from then on.
    /// `DOCUMENT_INVALID` names everything that is wrong in `details.faults`, and no number is used.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn issue_paper(&self, ctx: &Context<'_>, #[graphql(desc = "The draft.")] id: Uuid) -> GqlResult<Paper> {
        Ok(Box::pin(issue::issue(ctx.app(), &ctx.actor()?, id)).await?.into())
    }

    /// Begins an invoice of what an issued quote offered. `PAPER_NOT_ISSUED`, `PAPER_WRONG_KIND`.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn invoice_from_quote(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The quote.")] id: Uuid,
    ) -> GqlResult<Paper> {
        Ok(Box::pin(papers::invoice_from(ctx.app(), &ctx.actor()?, id)).await?.into())
    }

    /// Begins a credit note that takes an issued invoice back, whole or some lines of it; what is more than is left
    /// cannot be issued. `PAPER_NOT_ISSUED`, `PAPER_WRONG_KIND`.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn credit_invoice(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The invoice.")] id: Uuid,
        #[graphql(desc = "Why, in a few French words.")] reason: String,
        #[graphql(
            desc = "What is taken back, with positive prices that include VAT or not as those of the invoice; everything by default."
        )]
        lines: Option<Vec<PaperLineInput>>,
    ) -> GqlResult<Paper> {
        Ok(Box::pin(credit::draft(ctx.app(), &ctx.actor()?, id, reason, lines)).await?.into())
    }

    /// Deletes a draft. `PAPER_ISSUED` for what has its number.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn delete_paper(&self, ctx: &Context<'_>, #[graphql(desc = "The draft.")] id: Uuid) -> GqlResult<bool> {
        Box::pin(papers::delete(ctx.app(), &ctx.actor()?, id)).await?;
        Ok(true)
    }
}
