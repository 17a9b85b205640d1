//! Codes of an authenticator application (TOTP, RFC 6238), and recovery codes for whoever lost theirs.

use keroxio_core::{Actor, App, Env, Error, Result, Sealer, Secret, Tx};
use totp_rs::{Builder, Totp};

use crate::model::{self, User};
use crate::{accounts, attempts, error, secrets};

/// Keeps the secrets of second factors.
#[derive(Clone)]
pub struct Vault(Sealer);

impl Vault {
    pub fn from_env(env: &Env) -> Self {
        Self(Sealer::from_env(env, "totp"))
    }
}

/// What an authenticator application needs.
pub struct Setup {
    pub secret: Secret,
    pub url: Secret,
}

/// Six digits, half a minute each, one step of tolerance: what every application does.
fn totp(secret: &[u8], account: &str) -> Result<Totp> {
    let builder = Builder::new()
        .with_digits(6)
        .with_skew(1)
        .with_step_duration(30)
        .with_secret(secret.to_vec())
        .with_issuer(Some("Keroxio".to_owned()))
        .with_account_name(account.replace(':', ""));
    builder.build().map_err(|e| Error::internal(anyhow::anyhow!("totp: {e}")))
}

fn totp_of(app: &App, user: &User) -> Result<Option<Totp>> {
    let Some(sealed) = &user.totp_secret else { return Ok(None) };
    let secret = app.get::<Vault>()?.0.open(user.id, sealed)?;
    let bytes = hex::decode(secret).map_err(Error::internal)?;
    totp(&bytes, user.email.as_deref().unwrap_or("Keroxio")).map(Some)
}

/// Makes a secret for the caller's application; it counts once a code of it was given.
pub async fn begin(app: &App, actor: &Actor, password: String) -> Result<Setup> {
    accounts::prove(app, actor, password).await?;
    let mut tx = app.begin().await?;
    let mut user = model::lock_user(&mut tx, actor.user_id).await?.ok_or_else(Error::unauthenticated)?;
    if user.totp_enabled_at.is_some() {
        return Err(error::second_factor_state(
            "Le second facteur est déjà actif : désactivez-le d'abord.",
            "The second factor is already on: turn it off first.",
        ));
    }
    let bytes = rand::random::<[u8; 20]>();
    user.totp_secret = Some(app.get::<Vault>()?.0.seal(user.id, &hex::encode(bytes))?);
    user.totp_step = None;
    model::save_user(&mut tx, &user).await?;
    let totp = totp(&bytes, user.email.as_deref().unwrap_or("Keroxio"))?;
    let url = totp.to_url().map_err(|e| Error::internal(anyhow::anyhow!("totp: {e}")))?;
    tx.commit().await?;
    Ok(Setup { secret: Secret::new(totp_rs::Secret::from(bytes.to_vec()).to_base32()), url: Secret::new(url) })
}

/// Turns the second factor on by a first code; answers the recovery codes, which are shown once.
pub async fn confirm(app: &App, actor: &Actor, code: &str) -> Result<Vec<String>> {
    actor.person()?;
    attempts::proof(app, actor.user_id).await?;
    let mut tx = app.begin().await?;
    let mut user = model::lock_user(&mut tx, actor.user_id).await?.ok_or_else(Error::unauthenticated)?;
    if user.totp_enabled_at.is_some() || user.totp_secret.is_none() {
        return Err(error::second_factor_state("Commencez par beginSecondFactor.", "Begin with beginSecondFactor."));
    }
    let step = by_application(app, &user, code)?.ok_or_else(error::second_factor_invalid)?;
    (user.totp_enabled_at, user.totp_step) = (Some(app.now()), Some(step));
    model::save_user(&mut tx, &user).await?;
    let codes = renew_codes(&mut tx, &user).await?;
    accounts::changed(&mut tx, &user, "Le second facteur est actif.", "The second factor is on.").await?;
    tx.commit().await?;
    Ok(codes)
}

/// Turns the second factor off.
pub async fn disable(app: &App, actor: &Actor, password: String, code: &str) -> Result<()> {
    accounts::prove(app, actor, password).await?;
    let mut tx = app.begin().await?;
    let mut user = model::lock_user(&mut tx, actor.user_id).await?.ok_or_else(Error::unauthenticated)?;
    check(&mut tx, &mut user, Some(code)).await?;
    (user.totp_secret, user.totp_enabled_at, user.totp_step) = (None, None, None);
    model::save_user(&mut tx, &user).await?;
    model::replace_codes(&mut tx, user.id, &[]).await?;
    accounts::changed(&mut tx, &user, "Le second facteur est désactivé.", "The second factor is off.").await?;
    tx.commit().await
}

/// New recovery codes in place of all there were.
pub async fn renew(app: &App, actor: &Actor, code: &str) -> Result<Vec<String>> {
    actor.person()?;
    let mut tx = app.begin().await?;
    let mut user = model::lock_user(&mut tx, actor.user_id).await?.ok_or_else(Error::unauthenticated)?;
    if user.totp_enabled_at.is_none() {
        return Err(error::second_factor_state("Le second facteur n'est pas actif.", "The second factor is not on."));
    }
    check(&mut tx, &mut user, Some(code)).await?;
    let codes = renew_codes(&mut tx, &user).await?;
    tx.commit().await?;
    Ok(codes)
}

async fn renew_codes(tx: &mut Tx, user: &User) -> Result<Vec<String>> {
    let codes = secrets::recovery_codes();
    let hashes: Vec<String> = codes.iter().map(|code| secrets::hash(&secrets::plain_code(code))).collect();
    model::replace_codes(tx, user.id, &hashes).await?;
    Ok(codes)
}

/// Asks for the second factor of a user whose row is locked, where it is on.
///
/// # Errors
/// `SECOND_FACTOR_REQUIRED` without a code, `SECOND_FACTOR_INVALID` for a wrong one or one that was used.
pub async fn check(tx: &mut Tx, user: &mut User, code: Option<&str>) -> Result<()> {
    if user.totp_enabled_at.is_none() {
        return Ok(());
    }
    let code = code.filter(|code| !code.trim().is_empty()).ok_or_else(error::second_factor_required)?;
    let app = tx.app().clone();
    attempts::proof(&app, user.id).await?;
    if let Some(step) = by_application(&app, user, code)? {
        user.totp_step = Some(step);
        model::save_user(tx, user).await?;
        return Ok(());
    }
    let recovered = model::use_code(tx, user.id, &secrets::hash(&secrets::plain_code(code))).await?;
    if recovered { Ok(()) } else { Err(error::second_factor_invalid()) }
}

/// The time step of a code, unless it or a later one was used.
fn by_application(app: &App, user: &User, code: &str) -> Result<Option<i64>> {
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let now = u64::try_from(app.now().timestamp()).unwrap_or_default();
    let step = totp_of(app, user)?.and_then(|totp| totp.check(&digits, now));
    let step = step.and_then(|step| i64::try_from(step).ok());
    Ok(step.filter(|step| user.totp_step.is_none_or(|last| *step > last)))
}
