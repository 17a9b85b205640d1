//! What staff may do about organizations and people. The caller has checked that they are staff.

use keroxio_core::{Actor, App, Error, Page, Result, Role, Tx};
use uuid::Uuid;

use crate::keys::{Bearer, Issued, Keys};
use crate::model::{self, Organization, Step, User};
use crate::{organizations, sessions, trail};

/// Characters of a reason.
const REASON: std::ops::RangeInclusive<usize> = 10..=500;

/// Why staff do what they do, in one line that the organization will read.
///
/// # Errors
/// `BAD_INPUT` for less than ten characters or more than five hundred.
pub fn reason(given: &str) -> Result<String> {
    let reason = given.split_whitespace().collect::<Vec<_>>().join(" ");
    if REASON.contains(&reason.chars().count()) {
        return Ok(reason);
    }
    Err(Error::bad_input(
        "Donnez le motif en 10 à 500 caractères : l'organisation le lira.",
        "Give the reason in 10 to 500 characters: the organization will read it.",
    ))
}

/// An access token in the place of a member, for as long as any: it sees and works on cars and advertisements, and
/// reaches neither money, members, settings nor the account itself. All it does is written down with who of staff did
/// it, and it ends with their own session.
///
/// # Errors
/// `NOT_FOUND` where the organization has no such member, `FORBIDDEN` for one of staff.
pub async fn impersonate(tx: &mut Tx, actor: &Actor, org: Uuid, user: Uuid, reason: &str) -> Result<Issued> {
    let session = actor.person()?;
    let account = model::account(tx, user, org).await?;
    let (member, _, role) = account.ok_or_else(|| Error::not_found("Membre", "Member"))?;
    if member.staff {
        return Err(Error::new(
            keroxio_core::ErrorCode::FORBIDDEN,
            "On ne prend pas la place d'un membre du personnel.",
            "Nobody takes the place of one of staff.",
        ));
    }
    let (now, role) = (tx.app().now(), Role::named(&role).unwrap_or(Role::ReadOnly));
    note(tx, actor, org, user, "impersonate", reason).await?;
    let held = organizations::fetch(tx, org).await?.suspended_at.is_some();
    let bearer = Bearer { user, org, session, role, staff: false, held, guest: false, by: Some(actor.user_id) };
    tx.app().get::<Keys>()?.issue(&bearer, now)
}

/// Puts an organization on hold, or takes it up again; what its members hold open goes on with the rights they have
/// then.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn suspend(tx: &mut Tx, actor: &Actor, org: Uuid, hold: bool, reason: &str) -> Result<Organization> {
    let locked = model::lock_organization(tx, org).await?;
    let mut organization = locked.ok_or_else(|| Error::not_found("Organisation", "Organization"))?;
    let suspension = hold.then(|| (organization.suspended_at.unwrap_or_else(|| tx.app().now()), reason));
    model::set_suspension(tx, org, suspension).await?;
    (organization.suspended_at, organization.suspended_for) =
        (suspension.map(|(at, _)| at), suspension.map(|(_, reason)| reason.to_owned()));
    let action = if hold { "suspendOrganization" } else { "reinstateOrganization" };
    note(tx, actor, org, actor.user_id, action, reason).await?;
    Ok(organization)
}

/// To be called once a suspension is committed: tokens of members are renewed with what they may do now.
pub async fn members_changed(app: &App, org: Uuid) -> Result<()> {
    let members = model::members(&mut *app.conn().await?, org).await?;
    for (member, _) in members {
        sessions::disbelieve(app, member.user_id).await;
    }
    Ok(())
}

/// Writes into an organization's trail what staff did there, and why.
async fn note(tx: &mut Tx, actor: &Actor, org: Uuid, user: Uuid, action: &str, reason: &str) -> Result<()> {
    let mut step: Step = trail::fresh(tx.app().now(), org, user, action);
    (step.staff_id, step.reason) = (Some(actor.user_id), Some(reason.to_owned()));
    trail::note_in(tx, &step).await
}

/// Organizations whose name begins so, or of this SIREN.
///
/// # Errors
/// When PostgreSQL fails.
pub async fn organizations(app: &App, search: Option<&str>, suspended: bool, page: Page) -> Result<Vec<Organization>> {
    Ok(model::find_organizations(&mut *app.conn().await?, search, suspended, page).await?)
}

/// People whose e-mail address begins so.
///
/// # Errors
/// When PostgreSQL fails.
pub async fn users(app: &App, search: Option<&str>, page: Page) -> Result<Vec<User>> {
    Ok(model::find_users(&mut *app.conn().await?, search, page).await?)
}

/// Who belongs to each of these organizations, and as what: organization, role, person.
///
/// # Errors
/// When PostgreSQL fails.
pub async fn members_of_all(app: &App, orgs: &[Uuid]) -> Result<Vec<(Uuid, String, User)>> {
    Ok(model::members_of_all(&mut *app.conn().await?, orgs).await?)
}
