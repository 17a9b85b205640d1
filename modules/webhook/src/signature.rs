//! Secrets of webhooks, as they are kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keroxio_core::standard_webhooks::PREFIX;
use keroxio_core::{Env, Result, Sealer, Secret};
use uuid::Uuid;

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
