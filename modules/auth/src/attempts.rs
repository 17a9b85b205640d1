//! How often somebody may try.

use std::time::Duration;

use keroxio_core::{App, Bucket, ClientAddress, Result};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

const QUARTER: Duration = Duration::from_secs(15 * 60);
const HOUR: Duration = Duration::from_secs(3_600);
/// Log-ins to one account from one address, to one account from anywhere, and from one address to any account. The
/// second is wide: whoever knows an address must not be able to lock its owner out.
const SAME: Bucket = Bucket::of(10, QUARTER);
const ACCOUNT: Bucket = Bucket::of(100, HOUR);
const ADDRESS: Bucket = Bucket::of(60, QUARTER);
/// New accounts from one address, and beginnings without one.
const ACCOUNTS: Bucket = Bucket::of(60, HOUR);
/// Beginnings without an account from one address: each has rows and work of its own.
const GUESTS: Bucket = Bucket::of(20, HOUR);
/// Letters to one address of a person, and letters that somebody at one address asked for.
const LETTERS: Bucket = Bucket::of(5, HOUR);
const LETTERS_FROM: Bucket = Bucket::of(30, HOUR);
/// Invitations of one organization.
const INVITATIONS: Bucket = Bucket::of(50, HOUR);
/// Codes of a second factor, and passwords asked again of somebody who is signed in.
const CODES: Bucket = Bucket::of(10, QUARTER);
/// Links from letters, followed from one address.
const LINKS: Bucket = Bucket::of(60, HOUR);

/// No address of a person is a key of Redis.
fn name_of(email: &str) -> String {
    hex::encode(&Sha256::digest(email.trim().to_lowercase())[..16])
}

/// Counts an attempt to sign in, right or wrong.
///
/// # Errors
/// `TOO_MANY_ATTEMPTS`.
pub async fn log_in(app: &App, email: &str, from: Option<ClientAddress>) -> Result<()> {
    let account = name_of(email);
    if let Some(from) = from.map(ClientAddress::network) {
        app.take(&format!("log-in:{account}:{from}"), SAME, 1.0).await.or_wait()?;
        app.take(&format!("log-in-from:{from}"), ADDRESS, 1.0).await.or_wait()?;
    }
    app.take(&format!("log-in:{account}"), ACCOUNT, 1.0).await.or_wait()
}

/// Counts a new account.
///
/// # Errors
/// `TOO_MANY_ATTEMPTS`.
pub async fn register(app: &App, from: Option<ClientAddress>) -> Result<()> {
    let Some(from) = from.map(ClientAddress::network) else { return Ok(()) };
    app.take(&format!("register-from:{from}"), ACCOUNTS, 1.0).await.or_wait()
}

/// Counts a beginning without an account.
///
/// # Errors
/// `TOO_MANY_ATTEMPTS`.
pub async fn guest(app: &App, from: Option<ClientAddress>) -> Result<()> {
    let Some(from) = from.map(ClientAddress::network) else { return Ok(()) };
    app.take(&format!("guest-from:{from}"), GUESTS, 1.0).await.or_wait()
}

/// Counts a letter that somebody asks us to send. Each kind has a bucket of its own: whoever asks for other people's
/// resets keeps no invitation away.
///
/// # Errors
/// `TOO_MANY_ATTEMPTS`.
pub async fn letter(app: &App, kind: &str, email: &str, from: Option<ClientAddress>) -> Result<()> {
    if let Some(from) = from.map(ClientAddress::network) {
        app.take(&format!("letter-from:{from}"), LETTERS_FROM, 1.0).await.or_wait()?;
    }
    app.take(&format!("letter-{kind}:{}", name_of(email)), LETTERS, 1.0).await.or_wait()
}

/// Counts an invitation: an organization's name is what its owner likes, and is read by whoever gets the letter.
///
/// # Errors
/// `TOO_MANY_ATTEMPTS`.
pub async fn invitation(app: &App, org: Uuid) -> Result<()> {
    app.take(&format!("invitations:{}", org.simple()), INVITATIONS, 1.0).await.or_wait()
}

/// Counts a code of a second factor, or a password asked again.
///
/// # Errors
/// `TOO_MANY_ATTEMPTS`.
pub async fn proof(app: &App, user: Uuid) -> Result<()> {
    app.take(&format!("proof:{}", user.simple()), CODES, 1.0).await.or_wait()
}

/// Counts a link that is followed.
///
/// # Errors
/// `TOO_MANY_ATTEMPTS`.
pub async fn link(app: &App, from: Option<ClientAddress>) -> Result<()> {
    let Some(from) = from.map(ClientAddress::network) else { return Ok(()) };
    app.take(&format!("link-from:{from}"), LINKS, 1.0).await.or_wait()
}
