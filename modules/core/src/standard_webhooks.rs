//! Signatures of the Standard Webhooks specification, which Svix and Resend use as well.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::{Error, Result, Secret};

/// What every secret begins with.
pub const PREFIX: &str = "whsec_";
/// How old a signature may be, in seconds, and how far ahead of our clock.
const TOLERANCE: i64 = 300;

/// One signature, as the header carries it.
///
/// # Errors
/// `INTERNAL` for a secret that is none.
pub fn sign(secret: &Secret, id: &str, timestamp: i64, body: &[u8]) -> Result<String> {
    let mac = mac(secret, id, timestamp, body)
        .ok_or_else(|| Error::internal(anyhow::anyhow!("a secret of webhooks is not in Base64")))?;
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// What a message says of itself in its headers.
#[derive(Debug, Clone, Copy)]
pub struct Headers<'a> {
    pub id: &'a str,
    pub timestamp: &'a str,
    /// Several, parted by spaces, while a secret is replaced.
    pub signature: &'a str,
}

/// Whether one of the signatures is by this secret, of this message, and of about now.
pub fn is_genuine(headers: Headers<'_>, body: &[u8], secret: &Secret, now: DateTime<Utc>) -> bool {
    let Ok(timestamp) = headers.timestamp.parse::<i64>() else { return false };
    if headers.id.is_empty() || now.timestamp().saturating_sub(timestamp).saturating_abs() > TOLERANCE {
        return false;
    }
    let given = headers.signature.split(' ').filter_map(|part| part.strip_prefix("v1,"));
    given.filter_map(|part| STANDARD.decode(part).ok()).any(|signature| {
        mac(secret, headers.id, timestamp, body).is_some_and(|mac| mac.verify_slice(&signature).is_ok())
    })
}

/// Whether a text is a secret.
pub fn is_secret(secret: &Secret) -> bool {
    key(secret).is_some()
}

fn key(secret: &Secret) -> Option<Vec<u8>> {
    let text = secret.expose();
    let key = STANDARD.decode(text.strip_prefix(PREFIX).unwrap_or(text)).ok()?;
    (!key.is_empty()).then_some(key)
}

fn mac(secret: &Secret, id: &str, timestamp: i64, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key(secret)?).ok()?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Some(mac)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_signature_is_as_the_specification_has_it() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = br#"{"test": 2432232314}"#;
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(sign(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body).unwrap(), signature);
    }

    #[test]
    fn a_signature_is_by_the_secret_of_this_message_and_of_about_now() {
        let (now, body) = (DateTime::from_timestamp(1_800_000_000, 0).unwrap(), b"{}".as_slice());
        let (secret, other) = (Secret::new("whsec_c2VjcmV0"), Secret::new("whsec_b3RoZXI="));
        let t = now.timestamp();
        let at = |time: i64, by: &Secret| sign(by, "msg_1", time, body).unwrap();
        let genuine = |id: &str, time: i64, signature: &str, body: &[u8]| {
            is_genuine(Headers { id, timestamp: &time.to_string(), signature }, body, &secret, now)
        };
        for time in [t, t - 300, t + 300] {
            assert!(genuine("msg_1", time, &at(time, &secret), body), "{time}");
        }
        let both = format!("{} v2,AAAA {}", at(t, &other), at(t, &secret));
        assert!(genuine("msg_1", t, &both, body), "one of several");
        assert!(!genuine("msg_1", t - 301, &at(t - 301, &secret), body), "old");
        assert!(!genuine("msg_1", t + 301, &at(t + 301, &secret), body), "of a time to come");
        assert!(!genuine("msg_1", t, &at(t, &other), body), "by somebody else");
        assert!(!genuine("msg_2", t, &at(t, &secret), body), "of another message");
        assert!(!genuine("msg_1", t - 1, &at(t, &secret), body), "of another time");
        assert!(!genuine("msg_1", t, &at(t, &secret), b"{ }"), "of another body");
        assert!(!genuine("", t, &sign(&secret, "", t, body).unwrap(), body), "of no message");
        for nonsense in ["", "v1", "v1,", "v1,=", "v1a,AAAA"] {
            assert!(!genuine("msg_1", t, nonsense, body), "{nonsense}");
        }
        let nothing = Headers { id: "msg_1", timestamp: "", signature: "" };
        assert!(!is_genuine(nothing, body, &secret, now) && !is_secret(&Secret::new("whsec_")));
    }
}
