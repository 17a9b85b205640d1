use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use keroxio_core::Env;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

const LIFETIME_S: i64 = 3_600;
/// Expiry is rounded, so that a page reloaded within ten minutes reuses its cached pictures.
const ROUND_S: i64 = 600;

/// What follows the path of a signed address.
#[derive(Debug, Deserialize)]
pub struct SignedLink {
    pub expires: i64,
    pub signature: String,
}

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
        let expires = expiry(now);
        format!("{}/files/{id}?expires={expires}&signature={}", self.public_url, self.tag(id.as_bytes(), expires))
    }

    /// The address of a private path of another module, good for as long as that of a file.
    pub fn url_of(&self, path: &str, now: DateTime<Utc>) -> String {
        let expires = expiry(now);
        format!("{}{path}?expires={expires}&signature={}", self.public_url, self.tag(path.as_bytes(), expires))
    }

    /// The address of a file that anybody may see.
    pub fn public(&self, key: &str) -> String {
        format!("{}/p/{key}", self.public_url)
    }

    /// Whether the signature is ours and has not expired.
    pub fn verify(&self, id: Uuid, expires: i64, signature: &str, now: DateTime<Utc>) -> bool {
        self.is_signed(id.as_bytes(), expires, signature, now)
    }

    /// Whether the signature is that of [`Self::url_of`] for this path and has not expired.
    pub fn verify_path(&self, path: &str, link: &SignedLink, now: DateTime<Utc>) -> bool {
        self.is_signed(path.as_bytes(), link.expires, &link.signature, now)
    }

    /// Compared in constant time.
    fn is_signed(&self, subject: &[u8], expires: i64, signature: &str, now: DateTime<Utc>) -> bool {
        let Ok(signature) = hex::decode(signature) else { return false };
        let valid = self.mac(subject, expires).is_some_and(|mac| mac.verify_slice(&signature).is_ok());
        valid && expires > now.timestamp()
    }

    /// An id is 16 bytes and a path begins with a slash and is longer: neither passes for the other.
    fn mac(&self, subject: &[u8], expires: i64) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(subject);
        mac.update(&expires.to_be_bytes());
        Some(mac)
    }

    fn tag(&self, subject: &[u8], expires: i64) -> String {
        self.mac(subject, expires).map(|mac| hex::encode(mac.finalize().into_bytes())).unwrap_or_default()
    }
}

fn expiry(now: DateTime<Utc>) -> i64 {
    (now.timestamp() / ROUND_S + 1) * ROUND_S + LIFETIME_S
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_one_file_until_it_expires() {
        let signer = Signer::new("secret", "https://example.org");
        let (id, now) = (Uuid::now_v7(), Utc::now());
        let expires = now.timestamp() + 60;
        let signature = signer.tag(id.as_bytes(), expires);
        assert!(signer.verify(id, expires, &signature, now));
        assert!(!signer.verify(Uuid::now_v7(), expires, &signature, now), "another file");
        assert!(!signer.verify(id, expires + 1, &signature, now), "a later expiry");
        assert!(!signer.verify(id, expires, &signature, now + chrono::Duration::seconds(61)), "expired");
        assert!(!signer.verify(id, expires, "00", now), "a guess");
        let url = signer.url_of("/documents/1.pdf", now);
        let (expires, signature) = url.split_once("expires=").unwrap().1.split_once("&signature=").unwrap();
        let link = SignedLink { expires: expires.parse().unwrap(), signature: signature.to_owned() };
        assert!(signer.verify_path("/documents/1.pdf", &link, now));
        assert!(!signer.verify_path("/documents/2.pdf", &link, now), "another path");
    }
}
