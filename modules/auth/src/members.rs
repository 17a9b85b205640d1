//! Who belongs to an organization, as what, and how others come to.

use chrono::Duration;
use keroxio_core::{Actor, App, Error, Result, Right, Rights, Role, Tx};
use keroxio_email::{Letter, Locale};
use keroxio_subscription::{Unit, service as plans};
use uuid::Uuid;

use crate::accounts::{self, normalised_email};
use crate::model::{self, Invitation, Membership, User};
use crate::origin::Origin;
use crate::sessions::{self, Opened};
use crate::{attempts, error, organizations, password, second_factor, secrets};

/// Most people of an organization, invited ones among them.
const MAX_PEOPLE: usize = 200;

pub async fn list(app: &App, actor: &Actor) -> Result<Vec<(Membership, User)>> {
    actor.may(Right::Members)?;
    Ok(model::members(&mut *app.conn().await?, actor.org_id).await?)
}

pub async fn invitations(app: &App, actor: &Actor) -> Result<Vec<Invitation>> {
    actor.may(Right::Members)?;
    Ok(model::invitations(&mut *app.conn().await?, actor.org_id, app.now()).await?)
}

/// Who gives or takes the role of an owner must be one.
fn may_give(actor: &Actor, roles: &[Role]) -> Result<()> {
    actor.may(Right::Members)?;
    if roles.contains(&Role::Owner) { actor.may(Right::Own) } else { Ok(()) }
}

/// Invites somebody by e-mail, in place of an open invitation to the same address.
pub async fn invite(app: &App, actor: &Actor, email: &str, role: Role) -> Result<Invitation> {
    may_give(actor, &[role])?;
    let email = normalised_email(email)?;
    let host = accounts::require_verified(app, actor).await?;
    attempts::invitation(app, actor.org_id).await?;
    attempts::letter(app, "invitation", &email, None).await?;
    let now = app.now();
    let (token, token_hash) = secrets::fresh();
    let invitation = Invitation {
        id: Uuid::now_v7(),
        org_id: actor.org_id,
        email: email.clone(),
        role: role.name().to_owned(),
        token_hash,
        invited_by: Some(actor.user_id),
        created_at: now,
        expires_at: now + Duration::days(7),
        ended_at: None,
    };
    let mut tx = app.begin().await?;
    model::lock_organization(&mut tx, actor.org_id).await?;
    let organization = organizations::fetch(&mut tx, actor.org_id).await?;
    let people = model::members(&mut tx, actor.org_id).await?.len();
    if people + model::invitations(&mut tx, actor.org_id, now).await?.len() >= MAX_PEOPLE {
        return Err(error::too_many("membres et invitations", "members and invitations", MAX_PEOPLE));
    }
    let gate = plans::gate(&mut tx, actor.org_id).await?;
    model::insert_invitation(&mut tx, &invitation).await?;
    let invited = model::invitations(&mut tx, actor.org_id, now).await?.len();
    gate.hold(&mut tx, Unit::Seats, people + invited).await?;
    let (role_fr, role_en) = names(role);
    let url = format!("/invitation#token={token}");
    let letter = Letter::Invitation { organization: organization.name, role_fr, role_en, url };
    keroxio_email::service::send(&mut tx, Some(actor.org_id), &email, Locale::named(&host.locale), &letter).await?;
    tx.commit().await?;
    Ok(invitation)
}

fn names(role: Role) -> (&'static str, &'static str) {
    match role {
        Role::Owner => ("propriétaire", "owner"),
        Role::Manager => ("responsable", "manager"),
        Role::Seller => ("vendeur", "seller"),
        Role::Accountant => ("comptable", "accountant"),
        Role::ReadOnly => ("lecture seule", "read only"),
    }
}

pub async fn revoke_invitation(app: &App, actor: &Actor, id: Uuid) -> Result<()> {
    actor.may(Right::Members)?;
    let mut tx = app.begin().await?;
    if !model::end_invitation(&mut tx, actor.org_id, id, app.now()).await? {
        return Err(Error::not_found("Invitation", "Invitation"));
    }
    note_seats(&mut tx, actor.org_id).await?;
    tx.commit().await
}

/// What somebody brings along to accept an invitation.
pub struct Acceptance {
    pub token: String,
    /// A new one; of the account that the address has already, its own.
    pub password: String,
    pub code: Option<String>,
}

/// Makes somebody a member by the link they were sent, and signs them in. The link went to their address, which is
/// thereby confirmed.
pub async fn accept(app: &App, acceptance: Acceptance, origin: &Origin) -> Result<Opened> {
    attempts::link(app, origin.address).await?;
    let mut tx = app.begin().await?;
    let used = model::use_invitation(&mut tx, &secrets::hash(&acceptance.token), app.now()).await?;
    let invitation = used.ok_or_else(error::invalid_link)?;
    let gate = plans::gate(&mut tx, invitation.org_id).await?;
    let role = Role::named(&invitation.role).ok_or_else(error::invalid_link)?;
    let user_id = match model::user_by_email(&mut tx, &invitation.email).await? {
        Some(known) => {
            attempts::log_in(app, &invitation.email, origin.address).await?;
            let mut known = model::lock_user(&mut tx, known.id).await?.ok_or_else(error::invalid_link)?;
            accounts::prove_of(&known, acceptance.password).await?;
            second_factor::check(&mut tx, &mut known, acceptance.code.as_deref()).await?;
            enter(&mut tx, known, invitation.org_id).await?
        }
        None => {
            password::check(&acceptance.password)?;
            let (_, mut user) = accounts::fresh(&tx, String::new(), "dealer");
            user.email = Some(invitation.email.clone());
            user.password_hash = Some(password::hash(acceptance.password).await?);
            user.org_id = invitation.org_id;
            user.email_verified_at = Some(app.now());
            if !model::insert_user(&mut tx, &user).await? {
                return Err(error::email_taken());
            }
            user.id
        }
    };
    if model::membership(&mut tx, invitation.org_id, user_id).await?.is_none() {
        accounts::join(&mut tx, user_id, invitation.org_id, role).await?;
        // Open invitations are not counted here: the plan may be a smaller one than when they were written, and whoever
        // comes first has the seat.
        let members = model::members(&mut tx, invitation.org_id).await?.len();
        gate.hold(&mut tx, Unit::Seats, members).await?;
        note_seats(&mut tx, invitation.org_id).await?;
    }
    let opened = sessions::open(&mut tx, user_id, origin).await?;
    tx.count("auth.member_joined");
    tx.commit().await?;
    Ok(opened)
}

async fn enter(tx: &mut Tx, mut user: User, org_id: Uuid) -> Result<Uuid> {
    user.org_id = org_id;
    user.email_verified_at = user.email_verified_at.or(Some(tx.app().now()));
    model::save_user(tx, &user).await?;
    Ok(user.id)
}

/// Gives a member another role; what they hold open goes on with the rights of the new one.
pub async fn change_role(app: &App, actor: &Actor, user: Uuid, role: Role) -> Result<(Membership, User)> {
    actor.may(Right::Members)?;
    let mut tx = app.begin().await?;
    let mut membership = locked(&mut tx, actor.org_id, user).await?;
    let before = Role::named(&membership.role).unwrap_or(Role::Owner);
    may_give(actor, &[before, role])?;
    if before == Role::Owner && role != Role::Owner && model::owners(&mut tx, actor.org_id).await? < 2 {
        return Err(error::last_owner());
    }
    model::set_role(&mut tx, actor.org_id, user, role.name()).await?;
    withdraw(&mut tx, actor.org_id, user, role.rights()).await?;
    role.name().clone_into(&mut membership.role);
    let member = model::user(&mut tx, user).await?.ok_or_else(no_member)?;
    tx.commit().await?;
    sessions::disbelieve(app, user).await;
    Ok((membership, member))
}

/// Takes a member out; what they hold open in the organization ends.
pub async fn remove(app: &App, actor: &Actor, user: Uuid) -> Result<()> {
    actor.may(Right::Members)?;
    let mut tx = app.begin().await?;
    let membership = locked(&mut tx, actor.org_id, user).await?;
    may_give(actor, &Role::named(&membership.role).into_iter().collect::<Vec<_>>())?;
    part(&mut tx, &membership).await?;
    tx.commit().await?;
    sessions::disbelieve(app, user).await;
    Ok(())
}

/// Takes the caller out of their organization.
pub async fn leave(app: &App, actor: &Actor) -> Result<()> {
    actor.person()?;
    let mut tx = app.begin().await?;
    let membership = locked(&mut tx, actor.org_id, actor.user_id).await?;
    part(&mut tx, &membership).await?;
    tx.commit().await?;
    sessions::disbelieve(app, actor.user_id).await;
    Ok(())
}

/// Deletes the caller's account: they leave every organization, and who they were is forgotten.
///
/// # Errors
/// `INVALID_CREDENTIALS`; `LAST_OWNER` while nobody else owns one of the organizations.
pub async fn delete_account(app: &App, actor: &Actor, password: String) -> Result<()> {
    accounts::prove(app, actor, password).await?;
    let mut tx = app.begin().await?;
    let mut orgs: Vec<Uuid> = model::memberships(&mut tx, actor.user_id)
        .await?
        .into_iter()
        .map(|(membership, _)| membership.org_id)
        .collect();
    // In one order, whoever parts: two of the same organizations must not wait for each other.
    orgs.sort_unstable();
    for org in orgs {
        let membership = locked(&mut tx, org, actor.user_id).await?;
        part(&mut tx, &membership).await?;
    }
    model::delete_user(&mut tx, actor.user_id).await?;
    tx.commit().await?;
    sessions::disbelieve(app, actor.user_id).await;
    Ok(())
}

/// Of two who part at the same time, the second sees the first gone.
async fn locked(tx: &mut Tx, org: Uuid, user: Uuid) -> Result<Membership> {
    model::lock_organization(tx, org).await?;
    model::membership(tx, org, user).await?.ok_or_else(no_member)
}

async fn part(tx: &mut Tx, membership: &Membership) -> Result<()> {
    let (org, user) = (membership.org_id, membership.user_id);
    if membership.role == Role::Owner.name() && model::owners(tx, org).await? < 2 {
        return Err(error::last_owner());
    }
    model::delete_membership(tx, org, user).await?;
    note_seats(tx, org).await?;
    let now = tx.app().now();
    model::end_sessions_in(tx, user, org, now).await?;
    withdraw(tx, org, user, Rights::NONE).await
}

/// Ends what somebody made with rights that they have no more: their open invitations, and keys that may do more than
/// they may.
async fn withdraw(tx: &mut Tx, org: Uuid, user: Uuid, rights: Rights) -> Result<()> {
    let now = tx.app().now();
    if !rights.contains(Right::Own) {
        model::end_invitations_by(tx, org, user, now).await?;
    }
    for key in model::keys_by(tx, org, user).await? {
        if key.scopes.iter().any(|name| Right::named(name).is_none_or(|right| !rights.contains(right))) {
            model::revoke_key(tx, key.id, now).await?;
        }
    }
    Ok(())
}

/// Notes how many members and open invitations there are.
async fn note_seats(tx: &mut Tx, org: Uuid) -> Result<()> {
    let now = tx.app().now();
    let seats = model::members(tx, org).await?.len() + model::invitations(tx, org, now).await?.len();
    plans::note(tx, org, Unit::Seats, seats).await
}

fn no_member() -> Error {
    Error::not_found("Membre", "Member")
}
