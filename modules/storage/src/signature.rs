use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use keroxio_core::Env;
use sha2::{Digest, Sha256};
use uuid::Uuid;

const LIFETIME_S: i64 = 3_600;
/// Expiry is rounded, so that a page reloaded within ten minutes reuses its cached pictures.
const ROUND_S: i64 = 600;

/// Signs addresses of files with a key made for this purpose only.
#[derive(Clone)]
pub struct Signer {
    key: [u8; 32],
    public_url: String,
}

impl Signer {
    pub fn from_env(env: &Env) -> Self {
        let secret = env.optional("KEROXIO_SECRET_KEY").unwrap_or_default();
        let public_url = env.optional("KEROXIO_PUBLIC_URL").unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
        Self::new(&secret, public_url.trim_end_matches('/'))
    }

    fn new(secret: &str, public_url: &str) -> Self {
        Self { key: Sha256::digest(format!("files:{secret}")).into(), public_url: public_url.to_owned() }
    }

    pub fn url(&self, id: Uuid, now: DateTime<Utc>) -> String {
        let expires = (now.timestamp() / ROUND_S + 1) * ROUND_S + LIFETIME_S;
        format!("{}/files/{id}?expires={expires}&signature={}", self.public_url, hex::encode(self.tag(id, expires)))
    }

    /// The address of a file that anybody may see.
    pub fn public(&self, key: &str) -> String {
        format!("{}/p/{key}", self.public_url)
    }

    /// Whether the signature is ours and has not expired. Compared in constant time.
    pub fn verify(&self, id: Uuid, expires: i64, signature: &str, now: DateTime<Utc>) -> bool {
        let Ok(signature) = hex::decode(signature) else { return false };
        let valid = self.mac(id, expires).is_some_and(|mac| mac.verify_slice(&signature).is_ok());
        valid && expires > now.timestamp()
    }

    fn mac(&self, id: Uuid, expires: i64) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(id.as_bytes());
        mac.update(&expires.to_be_bytes());
        Some(mac)
    }

    fn tag(&self, id: Uuid, expires: i64) -> Vec<u8> {
        self.mac(id, expires).map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_one_file_until_it_expires() {
        let signer = Signer::new("secret", "https://example.org");
        let (id, now) = (Uuid::now_v7(), Utc::now());
        let expires = now.timestamp() + 60;
        let signature = hex::encode(signer.tag(id, expires));
        assert!(signer.verify(id, expires, &signature, now));
        assert!(!signer.verify(Uuid::now_v7(), expires, &signature, now), "another file");
        assert!(!signer.verify(id, expires + 1, &signature, now), "a later expiry");
        assert!(!signer.verify(id, expires, &signature, now + chrono::Duration::seconds(61)), "expired");
        assert!(!signer.verify(id, expires, "00", now), "a guess");
    }
}
