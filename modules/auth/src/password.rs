use keroxio_core::{Error, Result};

use crate::hashing::{Memory, in_turn};

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

/// argon2id with the library's current defaults; it takes tens of milliseconds.
pub async fn hash(password: String) -> Result<String> {
    let hashed = in_turn(move |memory| memory.hash(password.as_bytes())).await?;
    hashed.map_err(|e| Error::internal(e.context("argon2")))
}

/// Whether the password has this hash. Without a hash the same work is done for nothing, so that
/// the time taken does not tell whether an account exists.
pub async fn verify(password: String, hash: Option<String>) -> Result<Verdict> {
    let Some(expected) = hash else {
        self::hash(password).await?;
        return Ok(Verdict::Wrong);
    };
    in_turn(move |memory| judge(&password, &expected, memory)).await
}

fn judge(password: &str, expected: &str, memory: &mut Memory) -> Verdict {
    // The system before this one kept bcrypt, which looks at 72 bytes only.
    if expected.starts_with("$2") {
        return if bcrypt::verify(password, expected).unwrap_or(false) { Verdict::Legacy } else { Verdict::Wrong };
    }
    if memory.has(password.as_bytes(), expected) { Verdict::Right } else { Verdict::Wrong }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_legacy_hash_is_recognized() {
        let old = bcrypt::hash("correct horse battery", 4).unwrap();
        let mut memory = Memory::default();
        assert_eq!(judge("correct horse battery", &old, &mut memory), Verdict::Legacy);
        assert_eq!(judge("another", &old, &mut memory), Verdict::Wrong);
        assert_eq!(judge("correct horse battery", "$2b$nonsense", &mut memory), Verdict::Wrong);
    }
}
