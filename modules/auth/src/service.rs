use chrono::{DateTime, Duration, Utc};
use diesel_async::AsyncPgConnection;
use keroxio_core::{Actor, App, ClientAddress, Error, ErrorCode, Result, Tx};
use uuid::Uuid;

use crate::attempts;
use crate::events::OrganizationChanged;
use crate::model::{self, Organization, RefreshToken, User};
use crate::token::{self, Keys};
use crate::{error, password};

const MIN_PASSWORD: usize = 10;
const MAX_PASSWORD: usize = 200;

/// An opened session.
pub(crate) struct Opened {
    pub access_token: String,
    pub refresh_token: String,
    pub expires_at: DateTime<Utc>,
    pub user: User,
    pub organization: Organization,
}

/// Who holds this access token. Needs no database.
pub fn authenticate(app: &App, bearer: &str) -> std::result::Result<Actor, ErrorCode> {
    let keys = app.get::<Keys>().map_err(|_| ErrorCode::UNAVAILABLE)?;
    keys.verify(bearer, app.now())
}

pub(crate) async fn register(
    app: &App,
    from: Option<ClientAddress>,
    email: &str,
    password: String,
    organization: &str,
    kind: &'static str,
) -> Result<Opened> {
    let email = normalised_email(email)?;
    check_password(&password)?;
    let name = checked_name(organization)?;
    attempts::register(app, from).await?;
    let password_hash = password::hash(password).await?;
    let now = app.now();
    let organization = Organization { id: Uuid::now_v7(), name, kind: kind.to_owned(), created_at: now, siren: None };
    let user =
        User { id: Uuid::now_v7(), org_id: organization.id, email, password_hash, created_at: now, staff: false };
    let mut tx = app.begin().await?;
    if !model::insert_account(&mut tx, &organization, &user).await? {
        return Err(error::email_taken());
    }
    let opened = open(&mut tx, user, organization, Uuid::now_v7()).await?;
    tx.commit().await?;
    Ok(opened)
}

fn checked_name(name: &str) -> Result<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 120 {
        return Err(Error::bad_input(
            "Le nom de l'organisation doit compter de 1 à 120 caractères.",
            "The organization's name must have 1 to 120 characters.",
        ));
    }
    Ok(name.to_owned())
}

/// An organization, for modules that must know who sells.
pub async fn organization(app: &App, id: Uuid) -> Result<Organization> {
    organization_in(&mut *app.conn().await?, id).await
}

/// [`organization`] on a connection of the caller's.
pub async fn organization_in(conn: &mut AsyncPgConnection, id: Uuid) -> Result<Organization> {
    let found = model::organization(conn, id).await?;
    found.ok_or_else(|| Error::not_found("Organisation", "Organization"))
}

/// Changes what is given of the caller's organization; an empty SIREN takes it away.
pub(crate) async fn update_organization(
    app: &App,
    actor: &Actor,
    name: Option<String>,
    siren: Option<String>,
) -> Result<Organization> {
    let mut tx = app.begin().await?;
    let locked = model::lock_organization(&mut tx, actor.org_id).await?;
    let mut organization = locked.ok_or_else(|| Error::not_found("Organisation", "Organization"))?;
    if let Some(name) = name {
        organization.name = checked_name(&name)?;
    }
    if let Some(siren) = siren {
        let digits: String = siren.chars().filter(|c| !c.is_whitespace()).collect();
        if !digits.is_empty() && !is_siren(&digits) {
            return Err(error::siren());
        }
        organization.siren = Some(digits).filter(|digits| !digits.is_empty());
    }
    model::save_organization(&mut tx, &organization).await?;
    tx.announce(&OrganizationChanged { org_id: organization.id }).await?;
    tx.commit().await?;
    Ok(organization)
}

/// Nine digits whose last is a check digit by Luhn's formula.
fn is_siren(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let doubled = |(at, digit): (usize, &u32)| match (at % 2, digit * 2) {
        (0, _) => *digit,
        (_, twice) if twice > 9 => twice - 9,
        (_, twice) => twice,
    };
    digits.len() == 9
        && text.chars().count() == 9
        && digits.iter().rev().enumerate().map(doubled).sum::<u32>().is_multiple_of(10)
}

pub(crate) async fn log_in(app: &App, email: &str, password: String, from: Option<ClientAddress>) -> Result<Opened> {
    if password.len() > MAX_PASSWORD * 4 {
        return Err(error::invalid_credentials());
    }
    attempts::log_in(app, email, from).await?;
    let user = {
        let mut conn = app.conn().await?;
        model::user_by_email(&mut conn, &email.trim().to_lowercase()).await?
    };
    let hash = user.as_ref().map(|u| u.password_hash.clone());
    let right = password::verify(password, hash).await?;
    let user = user.filter(|_| right).ok_or_else(error::invalid_credentials)?;
    let mut tx = app.begin().await?;
    let (user, organization) = model::account(&mut tx, user.id).await?.ok_or_else(error::invalid_credentials)?;
    let opened = open(&mut tx, user, organization, Uuid::now_v7()).await?;
    tx.commit().await?;
    Ok(opened)
}

/// Exchanges a refresh token for a new pair. One that was used before may be stolen: its family ends.
pub(crate) async fn refresh(app: &App, refresh_token: &str) -> Result<Opened> {
    let now = app.now();
    let mut tx = app.begin().await?;
    let stored = model::lock_refresh(&mut tx, &token::hash_refresh(refresh_token)).await?;
    let stored = stored.ok_or_else(error::invalid_refresh_token)?;
    if stored.used_at.is_some() {
        model::revoke_family(&mut tx, stored.family_id, now).await?;
        tx.commit().await?;
        return Err(error::invalid_refresh_token());
    }
    if stored.revoked_at.is_some() || stored.expires_at <= now {
        return Err(error::invalid_refresh_token());
    }
    model::mark_used(&mut tx, stored.id, now).await?;
    let (user, organization) =
        model::account(&mut tx, stored.user_id).await?.ok_or_else(error::invalid_refresh_token)?;
    let opened = open(&mut tx, user, organization, stored.family_id).await?;
    tx.commit().await?;
    Ok(opened)
}

/// Ends the session this refresh token belongs to; an unknown token is already ended.
pub(crate) async fn log_out(app: &App, refresh_token: &str) -> Result<()> {
    let mut tx = app.begin().await?;
    if let Some(stored) = model::lock_refresh(&mut tx, &token::hash_refresh(refresh_token)).await? {
        model::revoke_family(&mut tx, stored.family_id, app.now()).await?;
    }
    tx.commit().await
}

pub(crate) async fn viewer(app: &App, actor: &Actor) -> Result<(User, Organization)> {
    let mut conn = app.conn().await?;
    model::account(&mut conn, actor.user_id).await?.ok_or_else(Error::unauthenticated)
}

async fn open(tx: &mut Tx, user: User, organization: Organization, family_id: Uuid) -> Result<Opened> {
    let now = tx.app().now();
    let keys: Keys = tx.app().get()?;
    let (access_token, expires_at) = keys.issue(user.id, organization.id, user.staff, now)?;
    let (refresh_token, token_hash) = token::refresh();
    let row = RefreshToken {
        id: Uuid::now_v7(),
        family_id,
        user_id: user.id,
        token_hash,
        expires_at: now + Duration::days(30),
        used_at: None,
        revoked_at: None,
        created_at: now,
    };
    model::insert_refresh(tx, &row).await?;
    Ok(Opened { access_token, refresh_token, expires_at, user, organization })
}

fn normalised_email(email: &str) -> Result<String> {
    let email = email.trim().to_lowercase();
    let plausible = email.len() <= 254
        && email.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty()
                && host.contains('.')
                && !host.starts_with('.')
                && !host.ends_with('.')
                && !host.contains('@')
        })
        && !email.chars().any(|c| c.is_whitespace() || c.is_control());
    if plausible {
        return Ok(email);
    }
    Err(Error::bad_input("Cette adresse e-mail n'est pas valide.", "This e-mail address is not valid."))
}

fn check_password(password: &str) -> Result<()> {
    let length = password.chars().count();
    if (MIN_PASSWORD..=MAX_PASSWORD).contains(&length) {
        return Ok(());
    }
    Err(Error::bad_input(
        format!("Le mot de passe doit compter de {MIN_PASSWORD} à {MAX_PASSWORD} caractères."),
        format!("The password must have {MIN_PASSWORD} to {MAX_PASSWORD} characters."),
    ))
}

/// Makes somebody one of the platform's staff, or no longer; their next access token says so. For the
/// command line, on a plain connection. Answers whether the address is known.
///
/// # Errors
/// When PostgreSQL fails.
pub async fn set_staff(conn: &mut diesel_async::AsyncPgConnection, email: &str, staff: bool) -> Result<bool> {
    Ok(model::set_staff(conn, &email.trim().to_lowercase(), staff).await?)
}

#[cfg(test)]
mod tests {
    use super::is_siren;

    #[test]
    fn a_siren_has_nine_digits_and_the_last_one_is_right() {
        assert!(is_siren("732829320") && is_siren("552100554"));
        for wrong in ["732829321", "73282932", "7328293200", "73282932x", "", "732-829320"] {
            assert!(!is_siren(wrong), "{wrong}");
        }
    }
}
