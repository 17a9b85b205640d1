//! Signatures of the Standard Webhooks specification.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use keroxio_core::{Env, Error, Result, Sealer, Secret};
use sha2::Sha256;
use uuid::Uuid;

const PREFIX: &str = "whsec_";

/// Keeps the secrets of webhooks.
#[derive(Clone)]
pub struct Vault(Sealer);

impl Vault {
    pub fn from_env(env: &Env) -> Self {
        Self(Sealer::from_env(env, "webhook"))
    }

    /// A new secret, and what is stored of it.
    pub fn fresh(&self, endpoint: Uuid) -> Result<(Secret, String)> {
        let text = format!("{PREFIX}{}", STANDARD.encode(rand::random::<[u8; 32]>()));
        let sealed = self.0.seal(endpoint, &text)?;
        Ok((Secret::new(text), sealed))
    }

    pub fn open(&self, endpoint: Uuid, sealed: &str) -> Result<Secret> {
        Ok(Secret::new(self.0.open(endpoint, sealed)?))
    }
}

/// One signature, as the header carries it.
pub fn sign(secret: &Secret, id: Uuid, timestamp: i64, body: &str) -> Result<String> {
    let key = STANDARD.decode(secret.expose().trim_start_matches(PREFIX)).map_err(Error::internal)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|e| Error::internal(anyhow::anyhow!("hmac: {e}")))?;
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}
