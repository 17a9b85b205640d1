//! What people agreed to.

use async_graphql::Enum;
use keroxio_core::{Actor, App, Error, Result};
use uuid::Uuid;

use crate::model::{self, Consent};

/// What somebody may agree to, and take back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ConsentPurpose {
    /// News of the platform by e-mail.
    News,
    /// Their photos and corrections help to train the platform's models.
    Training,
    /// Their sales count in statistics of the market, without names.
    Statistics,
}

impl ConsentPurpose {
    pub fn name(self) -> &'static str {
        match self {
            Self::News => "news",
            Self::Training => "training",
            Self::Statistics => "statistics",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        [Self::News, Self::Training, Self::Statistics].into_iter().find(|purpose| purpose.name() == name)
    }
}

pub async fn list(app: &App, actor: &Actor) -> Result<Vec<Consent>> {
    actor.person()?;
    Ok(model::consents(&mut *app.conn().await?, actor.user_id).await?)
}

/// Notes that the caller agrees to a text of this version; an earlier one ends.
pub async fn give(app: &App, actor: &Actor, purpose: ConsentPurpose, version: &str) -> Result<Consent> {
    actor.person()?;
    let version = version.trim();
    if version.is_empty() || version.chars().count() > 60 {
        return Err(Error::bad_input(
            "version nomme le texte accepté, en 60 caractères au plus.",
            "version names the text that is agreed to, in 60 characters at most.",
        ));
    }
    let consent = Consent {
        id: Uuid::now_v7(),
        org_id: actor.org_id,
        user_id: actor.user_id,
        purpose: purpose.name().to_owned(),
        version: version.to_owned(),
        given_at: app.now(),
        withdrawn_at: None,
    };
    let mut tx = app.begin().await?;
    model::withdraw(&mut tx, actor.user_id, purpose.name(), app.now()).await?;
    model::insert_consent(&mut tx, &consent).await?;
    tx.commit().await?;
    Ok(consent)
}

pub async fn withdraw(app: &App, actor: &Actor, purpose: ConsentPurpose) -> Result<()> {
    actor.person()?;
    let mut tx = app.begin().await?;
    model::withdraw(&mut tx, actor.user_id, purpose.name(), app.now()).await?;
    tx.commit().await
}
