//! People who begin with a photo and no account.

use keroxio_core::{Actor, App, Error, Feature, Result, Role};
use uuid::Uuid;

use crate::accounts::{self, normalised_email};
use crate::links::{self, Purpose};
use crate::organizations::checked_name;
use crate::origin::Origin;
use crate::sessions::{self, Opened};
use crate::{attempts, error, model, password, second_factor};

const NAME: &str = "Mon annonce";

/// Beginning without an account.
pub const GUESTS: Feature = Feature {
    name: "auth.guests",
    title_fr: "commencer une annonce sans compte",
    title_en: "beginning an advertisement without an account",
};

/// Signs in somebody we know nothing of.
pub async fn start(app: &App, origin: &Origin) -> Result<Opened> {
    app.require(&GUESTS, None).await?;
    attempts::guest(app, origin.address).await?;
    let mut tx = app.begin().await?;
    let (organization, user) = accounts::fresh(&tx, NAME.to_owned(), "private_seller");
    accounts::insert(&mut tx, &organization, &user).await?;
    let opened = sessions::open(&mut tx, user.id, origin).await?;
    tx.count("auth.guest_began");
    tx.commit().await?;
    Ok(opened)
}

/// Sends a guest the link by which they keep what they began.
pub async fn request_claim(app: &App, actor: &Actor, email: &str, origin: &Origin) -> Result<()> {
    actor.person()?;
    let email = normalised_email(email)?;
    let mut tx = app.begin().await?;
    let user = model::user(&mut tx, actor.user_id).await?.ok_or_else(Error::unauthenticated)?;
    if user.email.is_some() {
        return Err(error::not_a_guest());
    }
    attempts::letter(app, "claim", &email, origin.address).await?;
    links::send(&mut tx, &user, &email, Purpose::ClaimGuest).await?;
    tx.commit().await
}

/// What a guest brings along to keep what they began.
pub struct Claim {
    pub token: String,
    /// A new one; of the account that the address has already, its own.
    pub password: String,
    pub code: Option<String>,
    pub organization: Option<String>,
}

/// Makes a guest an account by the link they were sent, or hands what they began over to the account that their address
/// has already.
pub async fn claim(app: &App, claim: Claim, origin: &Origin) -> Result<Opened> {
    attempts::link(app, origin.address).await?;
    let mut tx = app.begin().await?;
    let (link, mut guest) = links::follow(&mut tx, &claim.token, Purpose::ClaimGuest).await?;
    if guest.email.is_some() {
        return Err(error::invalid_link());
    }
    let org_id = guest.org_id;
    let owner = match model::user_by_email(&mut tx, &link.email).await? {
        Some(known) => {
            let mut known = model::lock_user(&mut tx, known.id).await?.ok_or_else(error::invalid_link)?;
            attempts::log_in(app, &link.email, origin.address).await?;
            accounts::prove_of(&known, claim.password).await?;
            second_factor::check(&mut tx, &mut known, claim.code.as_deref()).await?;
            accounts::join(&mut tx, known.id, org_id, Role::Owner).await?;
            known.org_id = org_id;
            model::save_user(&mut tx, &known).await?;
            leave(&mut tx, guest.id, org_id).await?;
            known.id
        }
        None => {
            password::check(&claim.password)?;
            guest.email = Some(link.email);
            guest.password_hash = Some(password::hash(claim.password).await?);
            guest.email_verified_at = Some(app.now());
            model::save_user(&mut tx, &guest).await?;
            guest.id
        }
    };
    if let Some(name) = claim.organization {
        let mut organization = model::lock_organization(&mut tx, org_id).await?.ok_or_else(error::invalid_link)?;
        organization.name = checked_name(&name)?;
        model::save_organization(&mut tx, &organization).await?;
    }
    // Whoever began as this guest may be somebody else than who has the address: what they hold open ends.
    model::end_sessions(&mut tx, guest.id, None, app.now()).await?;
    sessions::disbelieve(app, guest.id).await;
    let opened = sessions::open(&mut tx, owner, origin).await?;
    tx.count("auth.guest_claimed");
    tx.commit().await?;
    Ok(opened)
}

/// The guest is somebody else now: their sessions end with them.
async fn leave(tx: &mut keroxio_core::Tx, guest: Uuid, org: Uuid) -> Result<()> {
    model::delete_membership(tx, org, guest).await?;
    model::delete_user(tx, guest).await?;
    Ok(())
}
