//! The door for other crates.

use chrono::{DateTime, Utc};
use diesel_async::AsyncPgConnection;
use keroxio_core::{Actor, App, Credential, Error, ErrorCode, Result, Right, Rights, Role, Tx};
use uuid::Uuid;

use crate::keys::Keys;
use crate::model::{self, Organization, Site};
use crate::{accounts, api_keys, organizations, sessions};

/// What one of staff may do in the place of a member, where the member may.
const IN_PLACE: Rights = Rights::of(&[Right::Read, Right::Stock, Right::Publish]);

/// Who holds this access token or API key.
///
/// # Errors
/// `UNAUTHENTICATED`, `TOKEN_EXPIRED`, or `UNAVAILABLE` where it cannot be found out now.
pub async fn authenticate(app: &App, bearer: &str) -> std::result::Result<Actor, ErrorCode> {
    if bearer.starts_with(api_keys::PREFIX) {
        return api_keys::authenticate(app, bearer).await;
    }
    let keys = app.get::<Keys>().map_err(|_| ErrorCode::UNAVAILABLE)?;
    let claims = keys.verify(bearer, app.now())?;
    if sessions::is_stale(app, &claims).await {
        return Err(ErrorCode::TOKEN_EXPIRED);
    }
    let role = Role::named(&claims.role).ok_or(ErrorCode::UNAUTHENTICATED)?;
    let (credential, rights) = match claims.by {
        Some(staff) => (Credential::Staff(staff), role.rights().within(IN_PLACE)),
        None => (Credential::Session(claims.sid), role.rights()),
    };
    Ok(Actor {
        user_id: claims.sub,
        org_id: claims.org,
        credential,
        rights: if claims.held { rights.suspended() } else { rights },
        limits: None,
        is_guest: claims.guest,
        staff: claims.staff,
    })
}

/// An organization, for modules that must know who sells.
pub async fn organization(app: &App, id: Uuid) -> Result<Organization> {
    organizations::fetch(&mut *app.conn().await?, id).await
}

/// [`organization`] on a connection of the caller's.
pub async fn organization_in(conn: &mut AsyncPgConnection, id: Uuid) -> Result<Organization> {
    organizations::fetch(conn, id).await
}

/// A site of an organization.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn site_in(conn: &mut AsyncPgConnection, org: Uuid, id: Uuid) -> Result<Site> {
    model::site(conn, org, id).await?.ok_or_else(|| Error::not_found("Site", "Site"))
}

/// Where to write to somebody, and in which language; none for a guest.
pub async fn address_of(conn: &mut AsyncPgConnection, user: Uuid) -> Result<Option<(String, String)>> {
    let user = model::user(conn, user).await?;
    Ok(user.and_then(|user| Some((user.email?, user.locale))))
}

/// A member who can be written to.
pub struct Addressee {
    pub user_id: Uuid,
    pub email: String,
    pub locale: String,
    /// Whether somebody who reads the address said that it is theirs. What nobody needs is written to no other.
    pub is_confirmed: bool,
}

/// The members of an organization who may do something, the longest-standing first.
pub async fn addressees(conn: &mut AsyncPgConnection, org: Uuid, right: Right) -> Result<Vec<Addressee>> {
    let members = model::members(conn, org).await?.into_iter();
    let able = members.filter(|(m, _)| Role::named(&m.role).is_some_and(|role| role.rights().contains(right)));
    Ok(able
        .filter_map(|(_, user)| {
            let is_confirmed = user.email_verified_at.is_some();
            Some(Addressee { user_id: user.id, email: user.email?, locale: user.locale, is_confirmed })
        })
        .collect())
}

/// Whether somebody belongs to an organization.
pub async fn is_member(conn: &mut AsyncPgConnection, org: Uuid, user: Uuid) -> Result<bool> {
    Ok(model::membership(conn, org, user).await?.is_some())
}

/// What only somebody whose address is confirmed may do: have us write to others, or call them.
///
/// # Errors
/// `EMAIL_NOT_VERIFIED`.
pub async fn require_verified(app: &App, actor: &Actor) -> Result<()> {
    accounts::require_verified(app, actor).await.map(drop)
}

/// Locks an organization until the transaction ends: what is counted for it stays as it was counted.
///
/// # Errors
/// When PostgreSQL fails.
pub async fn lock(tx: &mut Tx, org: Uuid) -> Result<()> {
    model::lock_organization(tx, org).await?;
    Ok(())
}

/// Asks somebody who is signed in for their password again.
///
/// # Errors
/// `INVALID_CREDENTIALS`, `TOO_MANY_ATTEMPTS`, and `FORBIDDEN` for an API key.
pub async fn prove(app: &App, actor: &Actor, password: String) -> Result<()> {
    accounts::prove(app, actor, password).await.map(drop)
}

/// Deletes an organization with all that says who belongs to it, and everybody who belongs to no other; answers how many
/// people that were.
pub async fn erase(tx: &mut Tx, org: Uuid) -> Result<usize> {
    let people = model::members(tx, org).await?;
    let left = model::erase(tx, org).await?;
    let app = tx.app().clone();
    for (member, _) in people {
        sessions::disbelieve(&app, member.user_id).await;
    }
    Ok(left)
}

/// Organizations of guests who were not seen since a moment.
pub async fn idle_guests(conn: &mut AsyncPgConnection, since: DateTime<Utc>) -> Result<Vec<Uuid>> {
    Ok(model::idle_guests(conn, since).await?)
}

/// Makes somebody one of the platform's staff, or no longer; their next access token says so. For the
/// command line, on a plain connection. Answers whether the address is known.
///
/// # Errors
/// When PostgreSQL fails.
pub async fn set_staff(conn: &mut AsyncPgConnection, email: &str, staff: bool) -> Result<bool> {
    Ok(model::set_staff(conn, &email.trim().to_lowercase(), staff).await?)
}

/// Whether a header holds what looks like an API key, which has to be looked up.
pub fn is_key(authorization: &str) -> bool {
    let text = authorization.strip_prefix("Bearer ").or_else(|| authorization.strip_prefix("bearer "));
    text.unwrap_or(authorization).trim().starts_with(api_keys::PREFIX)
}
