//! How this installation takes leads in.

use hmac::{Hmac, KeyInit as _, Mac as _};
use keroxio_core::Env;
use sha2::{Digest as _, Sha256};

/// Shortest secret that mail is signed with.
const SHORTEST_SECRET: usize = 16;

/// Where mail comes from, where any does.
#[derive(Clone)]
pub struct Inbound(Option<Configured>);

#[derive(Clone)]
struct Configured {
    domain: String,
    secret: String,
}

impl Inbound {
    pub fn read(env: &Env) -> Self {
        let (domain, secret) = (env.optional("KEROXIO_INBOUND_DOMAIN"), env.optional("KEROXIO_INBOUND_SECRET"));
        match (domain, secret) {
            (None, None) => Self(None),
            (Some(domain), Some(secret)) => {
                let domain = domain.trim().to_lowercase();
                if crate::reach::email(&format!("lead@{domain}")).is_none() {
                    env.problem(format!("KEROXIO_INBOUND_DOMAIN: {domain:?} is no domain such as mail.example.org"));
                }
                if secret.len() < SHORTEST_SECRET {
                    env.problem(format!("KEROXIO_INBOUND_SECRET: at least {SHORTEST_SECRET} characters"));
                }
                Self(Some(Configured { domain, secret }))
            }
            _ => {
                env.problem("KEROXIO_INBOUND_DOMAIN and KEROXIO_INBOUND_SECRET: set both or none".to_owned());
                Self(None)
            }
        }
    }

    pub fn is_configured(&self) -> bool {
        self.0.is_some()
    }

    /// The address behind a token.
    pub fn address(&self, token: &str) -> Option<String> {
        self.0.as_ref().map(|inbound| format!("lead+{token}@{}", inbound.domain))
    }

    /// The token of an address of ours.
    pub fn token(&self, address: &str) -> Option<String> {
        let address = address.trim().to_lowercase();
        let (local, domain) = address.rsplit_once('@')?;
        let token = local.strip_prefix("lead+")?;
        self.0.as_ref().filter(|inbound| inbound.domain == domain).map(|_| token.to_owned())
    }

    /// Whether a body carries the signature `sha256=<hex>` of whoever knows the secret.
    pub fn is_signed(&self, body: &[u8], signature: &str) -> bool {
        let Some(inbound) = &self.0 else { return false };
        let given = signature.strip_prefix("sha256=").and_then(|hex| hex::decode(hex).ok());
        let mac = Hmac::<Sha256>::new_from_slice(inbound.secret.as_bytes());
        given.zip(mac.ok()).is_some_and(|(given, mut mac)| {
            mac.update(body);
            mac.verify_slice(&given).is_ok()
        })
    }
}

/// Signs the moment at which a form was given out.
#[derive(Clone)]
pub struct FormKey([u8; 32]);

impl FormKey {
    pub fn from_env(env: &Env) -> Self {
        let secret = env.optional("KEROXIO_SECRET_KEY").unwrap_or_default();
        Self(Sha256::digest(format!("crm form:{secret}")).into())
    }

    pub fn sign(&self, what: &[u8]) -> [u8; 16] {
        let mut signature = [0; 16];
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) {
            mac.update(what);
            let whole = mac.finalize().into_bytes();
            signature.copy_from_slice(&whole[..16]);
        }
        signature
    }

    pub fn is_signed(&self, what: &[u8], signature: &[u8]) -> bool {
        Hmac::<Sha256>::new_from_slice(&self.0).is_ok_and(|mut mac| {
            mac.update(what);
            signature.len() == 16 && mac.verify_truncated_left(signature).is_ok()
        })
    }
}
