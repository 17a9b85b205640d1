use async_graphql::{Context, Object};
use keroxio_core::{Access, GqlResult, RequestContext as _, access};
use uuid::Uuid;

use super::register_types::RegisterEntry;
use crate::register::{self, RegisterArrivalInput, RegisterExitInput};

#[derive(Default)]
pub struct RegisterMutation;

#[Object]
impl RegisterMutation {
    /// Enters a car that came in into the police register of a site. An entry is never changed: `correctRegister` adds
    /// what it should have said. `DOCUMENT_INVALID` names everything that is missing.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn enter_register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The site.")] site_id: Uuid,
        #[graphql(desc = "The arrival.")] input: RegisterArrivalInput,
    ) -> GqlResult<RegisterEntry> {
        Ok(RegisterEntry::of(Box::pin(register::enter(ctx.app(), &ctx.actor()?, site_id, input)).await?)?)
    }

    /// Enters that a car left. `REGISTER_EXIT_RECORDED` where that is entered already.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn record_register_exit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The site.")] site_id: Uuid,
        #[graphql(desc = "The exit.")] input: RegisterExitInput,
    ) -> GqlResult<RegisterEntry> {
        Ok(RegisterEntry::of(Box::pin(register::leave(ctx.app(), &ctx.actor()?, site_id, input)).await?)?)
    }

    /// Enters what an earlier entry should have said; that one stays as it is.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn correct_register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The site.")] site_id: Uuid,
        #[graphql(desc = "Number of the earlier entry.")] number: i64,
        #[graphql(desc = "Why, at most 200 characters.")] reason: String,
        #[graphql(desc = "What it should have said, at most 1,000 characters.")] text: String,
    ) -> GqlResult<RegisterEntry> {
        let (which, what) = ((site_id, number), (reason, text));
        Ok(RegisterEntry::of(Box::pin(register::correct(ctx.app(), &ctx.actor()?, which, what)).await?)?)
    }
}
