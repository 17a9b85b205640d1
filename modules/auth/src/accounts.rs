//! People's accounts: opening one, signing in, passwords, addresses.

use keroxio_core::{Actor, App, Error, Feature, Result, Role, Tx};
use keroxio_email::{Letter, Locale};
use uuid::Uuid;

use crate::jobs::BeginReset;
use crate::links::{self, Purpose};
use crate::model::{self, Membership, Organization, User};
use crate::organizations::checked_name;
use crate::origin::Origin;
use crate::password::{self, Verdict};
use crate::sessions::{self, Opened};
use crate::{attempts, error, second_factor};

/// New accounts.
pub const SIGN_UP: Feature =
    Feature { name: "auth.sign_up", title_fr: "l'ouverture de nouveaux comptes", title_en: "opening new accounts" };

/// What a new account is made of.
pub struct NewAccount {
    pub email: String,
    pub password: String,
    pub organization: String,
    /// `dealer` or `private_seller`.
    pub kind: &'static str,
    pub locale: Locale,
}

pub async fn register(app: &App, new: NewAccount, origin: &Origin) -> Result<Opened> {
    let email = normalised_email(&new.email)?;
    password::check(&new.password)?;
    let name = checked_name(&new.organization)?;
    app.require(&SIGN_UP, None).await?;
    attempts::register(app, origin.address).await?;
    let hash = password::hash(new.password).await?;
    let mut tx = app.begin().await?;
    let (organization, mut user) = fresh(&tx, name, new.kind);
    (user.email, user.password_hash) = (Some(email.clone()), Some(hash));
    new.locale.name().clone_into(&mut user.locale);
    insert(&mut tx, &organization, &user).await?;
    links::send(&mut tx, &user, &email, Purpose::VerifyEmail).await?;
    let opened = sessions::open(&mut tx, user.id, origin).await?;
    tx.count("auth.signed_up");
    tx.commit().await?;
    Ok(opened)
}

/// Rows of a new organization and whoever owns it.
pub fn fresh(tx: &Tx, name: String, kind: &str) -> (Organization, User) {
    let now = tx.app().now();
    let organization = Organization {
        id: Uuid::now_v7(),
        name,
        kind: kind.to_owned(),
        created_at: now,
        siren: None,
        suspended_at: None,
        suspended_for: None,
    };
    let user = User {
        id: Uuid::now_v7(),
        org_id: organization.id,
        email: None,
        password_hash: None,
        created_at: now,
        staff: false,
        locale: Locale::French.name().to_owned(),
        email_verified_at: None,
        totp_secret: None,
        totp_enabled_at: None,
        totp_step: None,
    };
    (organization, user)
}

pub async fn insert(tx: &mut Tx, organization: &Organization, user: &User) -> Result<()> {
    model::insert_organization(tx, organization).await?;
    keroxio_subscription::service::open(tx, organization.id).await?;
    if !model::insert_user(tx, user).await? {
        return Err(error::email_taken());
    }
    join(tx, user.id, organization.id, Role::Owner).await
}

pub async fn join(tx: &mut Tx, user_id: Uuid, org_id: Uuid, role: Role) -> Result<()> {
    let membership = Membership { user_id, org_id, role: role.name().to_owned(), created_at: tx.app().now() };
    model::insert_membership(tx, &membership).await?;
    Ok(())
}

/// Signs in by address and password, and by the second factor where there is one.
pub async fn log_in(app: &App, email: &str, password: String, code: Option<&str>, origin: &Origin) -> Result<Opened> {
    if !password::may_be_one(&password) {
        return Err(error::invalid_credentials());
    }
    attempts::log_in(app, email, origin.address).await?;
    let user = model::user_by_email(&mut *app.conn().await?, &email.trim().to_lowercase()).await?;
    let hash = user.as_ref().and_then(|user| user.password_hash.clone());
    let verdict = password::verify(password.clone(), hash.clone()).await?;
    let user = user.filter(|_| verdict != Verdict::Wrong).ok_or_else(error::invalid_credentials)?;
    let renewed = match verdict {
        Verdict::Legacy => Some(password::hash(password).await?),
        _ => None,
    };
    let mut tx = app.begin().await?;
    let locked = model::lock_user(&mut tx, user.id).await?;
    // The password may have been replaced since it was looked at.
    let mut user = locked.filter(|user| user.password_hash == hash).ok_or_else(error::invalid_credentials)?;
    second_factor::check(&mut tx, &mut user, code).await?;
    if let Some(renewed) = renewed {
        user.password_hash = Some(renewed);
        model::save_user(&mut tx, &user).await?;
    }
    let opened = sessions::open(&mut tx, user.id, origin).await?;
    tx.commit().await?;
    Ok(opened)
}

/// Asks somebody who is signed in for their password again.
pub async fn prove(app: &App, actor: &Actor, password: String) -> Result<User> {
    actor.person()?;
    attempts::proof(app, actor.user_id).await?;
    let user = model::user(&mut *app.conn().await?, actor.user_id).await?.ok_or_else(Error::unauthenticated)?;
    prove_of(&user, password).await?;
    Ok(user)
}

/// # Errors
/// `INVALID_CREDENTIALS`.
pub async fn prove_of(user: &User, password: String) -> Result<()> {
    if !password::may_be_one(&password) {
        return Err(error::invalid_credentials());
    }
    match password::verify(password, user.password_hash.clone()).await? {
        Verdict::Wrong => Err(error::invalid_credentials()),
        Verdict::Right | Verdict::Legacy => Ok(()),
    }
}

/// Asks for a link to choose a new password. Whether there is an account is found out later, by a job: the answer and
/// the time it takes are the same.
pub async fn request_reset(app: &App, email: &str, origin: &Origin) -> Result<()> {
    let email = normalised_email(email)?;
    attempts::letter(app, "reset", &email, origin.address).await?;
    app.enqueue(&BeginReset { email }).await?;
    Ok(())
}

/// Sends the link where there is an account.
pub async fn begin_reset(tx: &mut Tx, email: &str) -> Result<()> {
    let Some(user) = model::user_by_email(tx, email).await? else { return Ok(()) };
    links::send(tx, &user, email, Purpose::ResetPassword).await
}

/// Sets a new password; every session ends. Whoever has the link has the address, too.
pub async fn reset(app: &App, token: &str, password: String, origin: &Origin) -> Result<()> {
    password::check(&password)?;
    attempts::link(app, origin.address).await?;
    let mut tx = app.begin().await?;
    let (link, mut user) = links::follow(&mut tx, token, Purpose::ResetPassword).await?;
    if user.email.as_deref() == Some(&link.email) {
        user.email_verified_at = user.email_verified_at.or(Some(app.now()));
    }
    user.password_hash = Some(password::hash(password).await?);
    model::save_user(&mut tx, &user).await?;
    changed(&mut tx, &user, "Votre mot de passe a été remplacé.", "Your password was replaced.").await?;
    model::end_sessions(&mut tx, user.id, None, app.now()).await?;
    tx.commit().await?;
    sessions::disbelieve(app, user.id).await;
    Ok(())
}

/// Changes the caller's password; their other sessions end.
pub async fn change_password(app: &App, actor: &Actor, current: String, new: String) -> Result<()> {
    let own = actor.person()?;
    password::check(&new)?;
    let proved = prove(app, actor, current).await?;
    let hash = password::hash(new).await?;
    let mut tx = app.begin().await?;
    let mut user = model::lock_user(&mut tx, actor.user_id).await?.ok_or_else(Error::unauthenticated)?;
    // Somebody with the link of a letter may have been faster: theirs is the word that counts.
    if user.password_hash != proved.password_hash {
        return Err(error::invalid_credentials());
    }
    user.password_hash = Some(hash);
    model::save_user(&mut tx, &user).await?;
    changed(&mut tx, &user, "Votre mot de passe a été remplacé.", "Your password was replaced.").await?;
    model::end_sessions(&mut tx, user.id, Some(own), app.now()).await?;
    tx.commit().await?;
    sessions::disbelieve(app, user.id).await;
    Ok(())
}

/// Tells somebody that the security of their account changed.
pub async fn changed(tx: &mut Tx, user: &User, what_fr: &'static str, what_en: &'static str) -> Result<()> {
    let Some(to) = &user.email else { return Ok(()) };
    let letter = Letter::SecurityChanged { what_fr, what_en };
    keroxio_email::service::send(tx, Some(user.org_id), to, Locale::named(&user.locale), &letter).await
}

/// Sends the link that confirms the caller's address once more; nothing where it is confirmed.
pub async fn request_verification(app: &App, actor: &Actor, origin: &Origin) -> Result<()> {
    actor.person()?;
    let mut tx = app.begin().await?;
    let user = model::user(&mut tx, actor.user_id).await?.ok_or_else(Error::unauthenticated)?;
    let Some(email) = user.email.clone().filter(|_| user.email_verified_at.is_none()) else { return Ok(()) };
    attempts::letter(app, "verify", &email, origin.address).await?;
    links::send(&mut tx, &user, &email, Purpose::VerifyEmail).await?;
    tx.commit().await
}

/// Confirms an address by the link sent to it.
pub async fn verify_email(app: &App, token: &str, origin: &Origin) -> Result<()> {
    attempts::link(app, origin.address).await?;
    let mut tx = app.begin().await?;
    let (link, mut user) = links::follow(&mut tx, token, Purpose::VerifyEmail).await?;
    if user.email.as_deref() != Some(&link.email) {
        return Err(error::invalid_link());
    }
    let is_new = user.email_verified_at.is_none();
    user.email_verified_at = Some(app.now());
    model::save_user(&mut tx, &user).await?;
    if is_new {
        let locale = Locale::named(&user.locale);
        keroxio_email::service::send(&mut tx, Some(user.org_id), &link.email, locale, &Letter::Welcome).await?;
    }
    tx.commit().await
}

/// Whether letters reach the address of somebody, with the address.
pub async fn email_standing(app: &App, actor: &Actor) -> Result<(String, keroxio_email::Standing)> {
    let email = own_email(app, actor).await?;
    let standing = keroxio_email::service::standing(app, &email).await?;
    Ok((email, standing))
}

/// Sends letters to the address of somebody again.
pub async fn clear_suppression(app: &App, actor: &Actor) -> Result<(String, keroxio_email::Standing)> {
    let email = own_email(app, actor).await?;
    keroxio_email::service::clear(app, &email).await?;
    email_standing(app, actor).await
}

async fn own_email(app: &App, actor: &Actor) -> Result<String> {
    let user = model::user(&mut *app.conn().await?, actor.user_id).await?.ok_or_else(Error::unauthenticated)?;
    user.email.ok_or_else(|| Error::not_found("Adresse", "Address"))
}

/// What only somebody whose address is confirmed may do: write to others, and make keys.
pub async fn require_verified(app: &App, actor: &Actor) -> Result<User> {
    let user = model::user(&mut *app.conn().await?, actor.user_id).await?.ok_or_else(Error::unauthenticated)?;
    if user.email_verified_at.is_some() { Ok(user) } else { Err(error::email_not_verified()) }
}

pub fn normalised_email(email: &str) -> Result<String> {
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
