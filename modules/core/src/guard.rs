use async_graphql::{Context, Guard};

use crate::{GqlError, RequestContext};

/// Lets signed-in callers through and answers `UNAUTHENTICATED` to everybody else.
pub struct RequireUser;

impl Guard for RequireUser {
    async fn check(&self, ctx: &Context<'_>) -> async_graphql::Result<()> {
        ctx.actor().map(|_| ()).map_err(|e| GqlError::from(e).into())
    }
}
