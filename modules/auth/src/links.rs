//! Links in letters that may be followed once.

use chrono::Duration;
use keroxio_core::{App, Result, Tx};
use keroxio_email::{Letter, Locale};
use uuid::Uuid;

use crate::model::{self, Link, User};
use crate::{error, secrets};

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    VerifyEmail,
    ResetPassword,
    ClaimGuest,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::ClaimGuest => "claim_guest",
        }
    }

    fn lasts(self) -> Duration {
        match self {
            Self::VerifyEmail => Duration::days(3),
            Self::ResetPassword => Duration::hours(1),
            Self::ClaimGuest => Duration::days(7),
        }
    }

    /// The token is behind the `#`, which browsers send to nobody.
    fn letter(self, token: &str) -> Letter {
        match self {
            Self::VerifyEmail => Letter::VerifyEmail { url: format!("/verify-email#token={token}") },
            Self::ResetPassword => Letter::ResetPassword { url: format!("/reset-password#token={token}") },
            Self::ClaimGuest => Letter::ClaimGuest { url: format!("/claim#token={token}") },
        }
    }
}

/// Sends somebody a link; earlier ones of its purpose no longer work.
pub async fn send(tx: &mut Tx, user: &User, to: &str, purpose: Purpose) -> Result<()> {
    let (token, token_hash) = secrets::fresh();
    let now = tx.app().now();
    let link = Link {
        id: Uuid::now_v7(),
        user_id: user.id,
        purpose: purpose.name().to_owned(),
        email: to.to_owned(),
        token_hash,
        created_at: now,
        expires_at: now + purpose.lasts(),
        used_at: None,
    };
    model::insert_link(tx, &link).await?;
    let locale = Locale::named(&user.locale);
    keroxio_email::service::send(tx, Some(user.org_id), to, locale, &purpose.letter(&token)).await
}

/// Uses a link up, and answers with it and its user, locked.
pub async fn follow(tx: &mut Tx, token: &str, purpose: Purpose) -> Result<(Link, User)> {
    let now = tx.app().now();
    let link = model::use_link(tx, purpose.name(), &secrets::hash(token), now).await?;
    let link = link.ok_or_else(error::invalid_link)?;
    let user = model::lock_user(tx, link.user_id).await?.ok_or_else(error::invalid_link)?;
    Ok((link, user))
}

/// Forgets what has expired.
pub async fn forget(app: &App, tx: &mut Tx) -> Result<()> {
    model::forget_links(tx, app.now() - Duration::days(7)).await?;
    Ok(())
}
