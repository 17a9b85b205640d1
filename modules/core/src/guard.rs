use async_graphql::{Context, Enum, Guard, TypeDirective};

use crate::{Actor, Error, ErrorCode, GqlError, RequestContext, Result, Right};

/// Who may ask for a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
pub enum Access {
    /// Anybody, without an account.
    Open,
    /// A person who is signed in, whatever their role; no API key.
    Person,
    /// The company that runs this installation.
    Staff,
    /// Members and API keys with the right `READ`.
    Read,
    /// Members and API keys with the right `STOCK`.
    Stock,
    /// Members and API keys with the right `PUBLISH`.
    Publish,
    /// Members and API keys with the right `MONEY`.
    Money,
    /// Members and API keys with the right `MEMBERS`.
    Members,
    /// Members and API keys with the right `SETTINGS`.
    Settings,
    /// Owners.
    Own,
}

impl Access {
    /// The right that is needed, where one is.
    pub fn right(self) -> Option<Right> {
        match self {
            Self::Open | Self::Person | Self::Staff => None,
            Self::Read => Some(Right::Read),
            Self::Stock => Some(Right::Stock),
            Self::Publish => Some(Right::Publish),
            Self::Money => Some(Right::Money),
            Self::Members => Some(Right::Members),
            Self::Settings => Some(Right::Settings),
            Self::Own => Some(Right::Own),
        }
    }

    fn allows(self, actor: &Actor) -> Result<()> {
        match self {
            Self::Open => Ok(()),
            Self::Person => actor.person().map(drop),
            Self::Staff if actor.staff && actor.person().is_ok() => Ok(()),
            Self::Staff => Err(Error::new(
                ErrorCode::FORBIDDEN,
                "Réservé au personnel de la plateforme.",
                "For the platform's staff only.",
            )),
            _ => self.right().map_or(Ok(()), |right| actor.may(right)),
        }
    }
}

/// The first wall, before the resolver; services have their own (`Actor::may`).
impl Guard for Access {
    async fn check(&self, ctx: &Context<'_>) -> async_graphql::Result<()> {
        if *self == Self::Open {
            return Ok(());
        }
        let actor = ctx.actor().map_err(GqlError::from)?;
        self.allows(&actor).map_err(|e| GqlError::from(e).into())
    }
}

/// Who may ask for this field.
#[TypeDirective(location = "FieldDefinition")]
pub fn access(#[graphql(desc = "Whoever is named may.")] to: Access) {}
