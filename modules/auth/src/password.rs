use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use keroxio_core::{Error, Result};
use tokio::sync::Semaphore;

/// Hashes that are computed at once: each takes 19 MiB and a core. They get half of the cores, the others wait for their
/// turn: a flood of log-ins costs those who log in time, and nobody else anything.
static TURNS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2))));
const MIN: usize = 10;
const MAX: usize = 200;

/// Whether a password was right, and whether it should be hashed anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    Right,
    /// Right, by a hash of the system before this one.
    Legacy,
}

/// # Errors
/// `BAD_INPUT` for one that is too short or too long.
pub fn check(password: &str) -> Result<()> {
    let length = password.chars().count();
    if (MIN..=MAX).contains(&length) {
        return Ok(());
    }
    Err(Error::bad_input(
        format!("Le mot de passe doit compter de {MIN} à {MAX} caractères."),
        format!("The password must have {MIN} to {MAX} characters."),
    ))
}

/// Whether a password can be right at all; a longer one costs no work.
pub fn may_be_one(password: &str) -> bool {
    password.len() <= MAX * 4
}

/// argon2id with the library's current defaults, on a blocking thread: it takes tens of milliseconds.
pub async fn hash(password: String) -> Result<String> {
    let hashed =
        in_turn(move || Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())).await?;
    hashed.map_err(|e| Error::internal(anyhow::anyhow!("argon2: {e}")))
}

/// Whether the password has this hash. Without a hash the same work is done for nothing, so that
/// the time taken does not tell whether an account exists.
pub async fn verify(password: String, hash: Option<String>) -> Result<Verdict> {
    let Some(expected) = hash else {
        self::hash(password).await?;
        return Ok(Verdict::Wrong);
    };
    in_turn(move || judge(&password, &expected)).await
}

/// On a blocking thread, when it is its turn. The turn goes with the work: whoever stops waiting frees no memory.
async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let turn = TURNS.acquire().await.map_err(Error::internal)?;
    let work = move || {
        let _turn = turn;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

fn judge(password: &str, expected: &str) -> Verdict {
    // The system before this one kept bcrypt, which looks at 72 bytes only.
    if expected.starts_with("$2") {
        return if bcrypt::verify(password, expected).unwrap_or(false) { Verdict::Legacy } else { Verdict::Wrong };
    }
    let right = PasswordHash::new(expected)
        .is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok());
    if right { Verdict::Right } else { Verdict::Wrong }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_legacy_hash_is_recognized() {
        let old = bcrypt::hash("correct horse battery", 4).unwrap();
        assert_eq!(judge("correct horse battery", &old), Verdict::Legacy);
        assert_eq!(judge("another", &old), Verdict::Wrong);
        assert_eq!(judge("correct horse battery", "$2b$nonsense"), Verdict::Wrong);
    }
}
