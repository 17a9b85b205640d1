//! How often somebody may try.

use std::time::Duration;

use keroxio_core::{App, Bucket, ClientAddress, Result};
use sha2::{Digest as _, Sha256};

const QUARTER: Duration = Duration::from_secs(15 * 60);
const HOUR: Duration = Duration::from_secs(3_600);
/// Log-ins to one account from one address, to one account from anywhere, and from one address to any account. The
/// second is wide: whoever knows an address must not be able to lock its owner out.
const SAME: Bucket = Bucket::of(10, QUARTER);
const ACCOUNT: Bucket = Bucket::of(100, HOUR);
const ADDRESS: Bucket = Bucket::of(60, QUARTER);
/// New accounts from one address.
const ACCOUNTS: Bucket = Bucket::of(60, HOUR);

/// Counts an attempt to sign in, right or wrong.
///
/// # Errors
/// `TOO_MANY_ATTEMPTS`.
pub async fn log_in(app: &App, email: &str, from: Option<ClientAddress>) -> Result<()> {
    // No address of a person is a key of Redis.
    let account = hex::encode(&Sha256::digest(email.trim().to_lowercase())[..16]);
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
