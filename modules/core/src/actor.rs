use async_graphql::Context;
use uuid::Uuid;

use crate::{App, Batch, Error, GqlResult, Loaders, Result};

/// What a user may do in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Owner,
}

/// Who is asking, resolved once per request or WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    pub user_id: Uuid,
    pub org_id: Uuid,
    pub role: Role,
    /// One of the company that runs this installation.
    pub staff: bool,
}

/// What resolvers find in their context.
pub trait RequestContext {
    fn app(&self) -> &App;

    /// # Errors
    /// `UNAUTHENTICATED` without a valid token, or the reason why the token given was refused.
    fn actor(&self) -> Result<Actor>;

    /// A row that other fields of the request may ask for too, read together with theirs.
    fn load<B: Batch>(&self, key: B::Key) -> impl Future<Output = GqlResult<Option<B::Value>>> + Send;
}

/// Outcome of authentication, put into the request by the HTTP layer.
pub type Authentication = std::result::Result<Option<Actor>, crate::ErrorCode>;

impl RequestContext for Context<'_> {
    fn app(&self) -> &App {
        self.data_unchecked::<App>()
    }

    fn actor(&self) -> Result<Actor> {
        match self.data_opt::<Authentication>() {
            Some(Ok(Some(actor))) => Ok(*actor),
            Some(Err(crate::ErrorCode::TOKEN_EXPIRED)) => Err(Error::new(
                crate::ErrorCode::TOKEN_EXPIRED,
                "Le jeton d'accès a expiré : renouvelez la session avec refreshSession.",
                "The access token has expired: renew the session with refreshSession.",
            )),
            _ => Err(Error::unauthenticated()),
        }
    }

    async fn load<B: Batch>(&self, key: B::Key) -> GqlResult<Option<B::Value>> {
        match self.data_opt::<Loaders>() {
            Some(loaders) => loaders.load::<B>(self.app(), key).await,
            // Whoever runs the schema without the HTTP layer reads row by row.
            None => Ok(B::load(self.app(), std::slice::from_ref(&key)).await?.remove(&key)),
        }
    }
}
