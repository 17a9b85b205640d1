//! Keeps a secret so that the database alone does not tell it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{Env, Error, Result};

const NONCE: usize = 24;

/// Seals with a key made from the installation's secret for one purpose only.
#[derive(Clone)]
pub struct Sealer(XChaCha20Poly1305);

impl Sealer {
    pub fn from_env(env: &Env, purpose: &str) -> Self {
        Self::new(&env.optional("KEROXIO_SECRET_KEY").unwrap_or_default(), purpose)
    }

    fn new(secret: &str, purpose: &str) -> Self {
        let key: [u8; 32] = Sha256::digest(format!("{purpose}:{secret}")).into();
        Self(XChaCha20Poly1305::new(&Key::from(key)))
    }

    /// Bound to its owner: copied to another's row it does not open.
    pub fn seal(&self, owner: Uuid, secret: &str) -> Result<String> {
        let nonce = rand::random::<[u8; NONCE]>();
        let payload = Payload { msg: secret.as_bytes(), aad: owner.as_bytes() };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload).map_err(|_| broken())?;
        Ok(STANDARD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// # Errors
    /// `INTERNAL` for what was sealed with another secret of the installation, or for another owner.
    pub fn open(&self, owner: Uuid, sealed: &str) -> Result<String> {
        let bytes = STANDARD.decode(sealed).map_err(|_| broken())?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>().ok_or_else(broken)?;
        let payload = Payload { msg: sealed, aad: owner.as_bytes() };
        let secret = self.0.decrypt(&XNonce::from(*nonce), payload).map_err(|_| broken())?;
        String::from_utf8(secret).map_err(|_| broken())
    }
}

fn broken() -> Error {
    Error::internal(std::io::Error::other("a sealed secret cannot be opened: was KEROXIO_SECRET_KEY changed?"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_secret_opens_for_its_owner_purpose_and_installation_only() {
        let (sealer, owner) = (Sealer::new("one", "registry"), Uuid::now_v7());
        let sealed = sealer.seal(owner, "the credential").unwrap();
        assert!(!sealed.contains("credential") && sealed != sealer.seal(owner, "the credential").unwrap());
        assert_eq!(sealer.open(owner, &sealed).unwrap(), "the credential");
        assert!(sealer.open(Uuid::now_v7(), &sealed).is_err());
        assert!(Sealer::new("two", "registry").open(owner, &sealed).is_err());
        assert!(Sealer::new("one", "totp").open(owner, &sealed).is_err());
        assert!(sealer.open(owner, "AAAA").is_err());
    }
}
