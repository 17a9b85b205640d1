use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use keroxio_core::{Error, Result};

/// argon2id with the library's current defaults, on a blocking thread: it takes tens of milliseconds.
pub async fn hash(password: String) -> Result<String> {
    let hashed = tokio::task::spawn_blocking(move || {
        Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())
    })
    .await
    .map_err(Error::internal)?;
    hashed.map_err(|e| Error::internal(anyhow::anyhow!("argon2: {e}")))
}

/// Whether the password has this hash. Without a hash the same work is done for nothing, so that
/// the time taken does not tell whether an account exists.
pub async fn verify(password: String, hash: Option<String>) -> Result<bool> {
    let Some(expected) = hash else {
        self::hash(password).await?;
        return Ok(false);
    };
    tokio::task::spawn_blocking(move || {
        PasswordHash::new(&expected)
            .is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
    })
    .await
    .map_err(Error::internal)
}
