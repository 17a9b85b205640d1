use async_graphql::{Context, Guard};

use crate::{Error, ErrorCode, GqlError, RequestContext};

/// Lets signed-in callers through and answers `UNAUTHENTICATED` to everybody else.
pub struct RequireUser;

impl Guard for RequireUser {
    async fn check(&self, ctx: &Context<'_>) -> async_graphql::Result<()> {
        ctx.actor().map(|_| ()).map_err(|e| GqlError::from(e).into())
    }
}

/// Lets staff through and answers `FORBIDDEN` to users.
pub struct RequireStaff;

impl Guard for RequireStaff {
    async fn check(&self, ctx: &Context<'_>) -> async_graphql::Result<()> {
        let actor = ctx.actor().map_err(GqlError::from)?;
        if actor.staff {
            return Ok(());
        }
        Err(GqlError::from(Error::new(
            ErrorCode::FORBIDDEN,
            "Réservé au personnel de la plateforme.",
            "For the platform's staff only.",
        ))
        .into())
    }
}
