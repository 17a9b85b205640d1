//! The door for other crates.

use diesel_async::AsyncPgConnection;
use keroxio_core::{Actor, App, Credential, ErrorCode, Result, Role};
use uuid::Uuid;

use crate::keys::Keys;
use crate::model::{self, Organization};
use crate::{api_keys, organizations, sessions};

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
    Ok(Actor {
        user_id: claims.sub,
        org_id: claims.org,
        credential: Credential::Session(claims.sid),
        rights: role.rights(),
        limits: None,
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

/// Makes somebody one of the platform's staff, or no longer; their next access token says so. For the
/// command line, on a plain connection. Answers whether the address is known.
///
/// # Errors
/// When PostgreSQL fails.
pub async fn set_staff(conn: &mut AsyncPgConnection, email: &str, staff: bool) -> Result<bool> {
    Ok(model::set_staff(conn, &email.trim().to_lowercase(), staff).await?)
}
