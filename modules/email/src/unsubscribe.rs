//! Ending letters of a kind with one click (RFC 8058): who may do so is who has the link.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use keroxio_core::{App, Env, Event, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

const SIGNATURE: usize = 16;

/// Somebody of an organization wants no more letters about something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsubscribed {
    pub org_id: Uuid,
    pub user_id: Uuid,
    /// As whoever sent the letter named it.
    pub topic: String,
}

impl Event for Unsubscribed {
    const NAME: &'static str = "email.unsubscribed";
}

/// Signs links.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    pub fn from_env(env: &Env) -> Self {
        let secret = env.optional("KEROXIO_SECRET_KEY").unwrap_or_default();
        Self(Sha256::digest(format!("email unsubscribe:{secret}")).into())
    }

    /// What a link says, and who said it. It is good for ever: letters are kept.
    fn token(&self, who: &Unsubscribed) -> String {
        let mut token = [who.org_id.as_bytes().as_slice(), who.user_id.as_bytes(), who.topic.as_bytes()].concat();
        if let Some(mac) = self.mac(&token) {
            token.extend(mac.finalize().into_bytes().iter().take(SIGNATURE));
        }
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The whole link.
    pub fn address(&self, public_url: &str, who: &Unsubscribed) -> String {
        format!("{public_url}/email/unsubscribe/{}", self.token(who))
    }

    /// What a token says, if it is one of ours.
    pub fn read(&self, token: &str) -> Option<Unsubscribed> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (said, signature) = bytes.split_at_checked(bytes.len().checked_sub(SIGNATURE)?)?;
        self.mac(said)?.verify_truncated_left(signature).ok()?;
        let (org, rest) = said.split_at_checked(16)?;
        let (user, topic) = rest.split_at_checked(16)?;
        let topic = String::from_utf8(topic.to_vec()).ok()?;
        Some(Unsubscribed { org_id: Uuid::from_slice(org).ok()?, user_id: Uuid::from_slice(user).ok()?, topic })
    }

    fn mac(&self, said: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(said);
        Some(mac)
    }
}

/// Ends letters by a token; false for one that is none of ours.
pub async fn end(app: &App, token: &str) -> Result<bool> {
    let Some(who) = app.get::<Key>()?.read(token) else { return Ok(false) };
    let mut tx = app.begin().await?;
    tx.announce(&who).await?;
    tx.count("email.unsubscribed");
    tx.commit().await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_token_says_who_ends_what_and_cannot_be_made_up() {
        let key = Key([7; 32]);
        let who = Unsubscribed { org_id: Uuid::now_v7(), user_id: Uuid::now_v7(), topic: "lead_received".to_owned() };
        let token = key.token(&who);
        assert_eq!(key.read(&token), Some(who));
        assert_eq!(Key([8; 32]).read(&token), None);
        let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert_eq!(key.read(&URL_SAFE_NO_PAD.encode(&bytes)), None, "byte {at}");
            bytes[at] ^= 1;
        }
        for nonsense in ["", "AAAA", "é", &token[1..]] {
            assert_eq!(key.read(nonsense), None);
        }
    }
}
