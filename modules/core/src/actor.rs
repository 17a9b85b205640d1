use async_graphql::Context;
use uuid::Uuid;

use crate::{App, Batch, Error, GqlResult, Limits, Loaders, Result, Right, Rights};

/// By what somebody showed who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Credential {
    /// A person signed in; the session's identifier.
    Session(Uuid),
    /// An integrator's program; the identifier of its API key.
    ApiKey(Uuid),
    /// One of staff in the place of a member, for a reason that is written down; their own user's identifier.
    Staff(Uuid),
}

/// Who is asking, resolved once per request or WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Actor {
    /// The person, or whoever made the API key.
    pub user_id: Uuid,
    pub org_id: Uuid,
    pub credential: Credential,
    pub rights: Rights,
    /// Those of an API key that has its own, beside its organization's.
    pub limits: Option<Limits>,
    /// Somebody without an account: what they ask for counts for their address as well.
    pub is_guest: bool,
    /// One of the company that runs this installation.
    pub staff: bool,
}

impl Actor {
    /// What every service asks before it changes or shows anything.
    ///
    /// # Errors
    /// `FORBIDDEN`, naming the right that is lacking.
    pub fn may(&self, right: Right) -> Result<()> {
        self.rights.require(right)
    }

    /// The session of a person; programs have none.
    ///
    /// # Errors
    /// `FORBIDDEN` for an API key, and for staff in the place of a member.
    pub fn person(&self) -> Result<Uuid> {
        match self.credential {
            Credential::Session(session) => Ok(session),
            Credential::ApiKey(_) => Err(Error::new(
                crate::ErrorCode::FORBIDDEN,
                "Réservé aux personnes connectées : une clé d'API ne peut pas le faire.",
                "For people who are signed in only: an API key cannot do this.",
            )),
            Credential::Staff(_) => Err(Error::new(
                crate::ErrorCode::FORBIDDEN,
                "Le personnel ne fait pas cela à la place d'un membre : c'est à lui de le faire.",
                "Staff do not do this in the place of a member: it is the member's to do.",
            )),
        }
    }
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
            Some(Err(crate::ErrorCode::UNAVAILABLE)) => {
                Err(Error::unavailable(anyhow::anyhow!("nobody could be authenticated")))
            }
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

/// What the client calls itself (`User-Agent`).
#[derive(Debug, Clone)]
pub struct ClientAgent(pub String);
