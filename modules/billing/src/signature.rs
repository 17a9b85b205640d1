//! Whether an event comes from Stripe (`Stripe-Signature: t=…,v1=…`).

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use keroxio_core::Secret;
use sha2::Sha256;

/// How old a signature may be, in seconds, and how far ahead of our clock.
const TOLERANCE: i64 = 300;

/// Whether one of the signatures is by one of the secrets, and the time is about now.
pub fn is_genuine(header: &str, body: &[u8], secrets: &[Secret], now: DateTime<Utc>) -> bool {
    let parts = || header.split(',').filter_map(|part| part.trim().split_once('='));
    let mut times = parts().filter(|(name, _)| *name == "t").filter_map(|(_, value)| value.parse::<i64>().ok());
    let Some(time) = times.next().filter(|_| times.next().is_none()) else { return false };
    if now.timestamp().saturating_sub(time).saturating_abs() > TOLERANCE {
        return false;
    }
    let given: Vec<Vec<u8>> =
        parts().filter(|(name, _)| *name == "v1").filter_map(|(_, value)| hex::decode(value).ok()).collect();
    let is_by = |secret: &Secret, signature: &[u8]| {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else { return false };
        mac.update(format!("{time}.").as_bytes());
        mac.update(body);
        mac.verify_slice(signature).is_ok()
    };
    secrets.iter().any(|secret| given.iter().any(|signature| is_by(secret, signature)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sign(secret: &str, time: i64, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{time}.{body}").as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }

    #[test]
    fn a_signature_is_by_a_known_secret_of_this_body_and_of_about_now() {
        let (now, body) = (DateTime::from_timestamp(1_800_000_000, 0).unwrap(), "{}");
        let secrets = [Secret::new("whsec_new"), Secret::new("whsec_old")];
        let genuine = |header: String| is_genuine(&header, body.as_bytes(), &secrets, now);
        let at = |time: i64, secret: &str| format!("t={time},v1={}", sign(secret, time, body));
        let t = now.timestamp();
        assert!(genuine(at(t, "whsec_new")) && genuine(at(t, "whsec_old")));
        assert!(genuine(at(t - 300, "whsec_new")) && genuine(at(t + 300, "whsec_new")));
        assert!(genuine(format!("t={t}, v1=00ff, v0=x, v1={}", sign("whsec_old", t, body))));
        assert!(!genuine(at(t - 301, "whsec_new")) && !genuine(at(t + 301, "whsec_new")));
        assert!(!genuine(at(t, "whsec_other")));
        assert!(!genuine(format!("t={},v1={}", t - 1, sign("whsec_new", t, body))), "another time than was signed");
        assert!(!genuine(format!("t={t},t={t},v1={}", sign("whsec_new", t, body))), "two times");
        assert!(!genuine(format!("t={t},v0={}", sign("whsec_new", t, body))), "an old scheme");
        assert!(!is_genuine(&at(t, "whsec_new"), b"{ }", &secrets, now), "another body");
        assert!(!is_genuine(&at(t, ""), body.as_bytes(), &[], now));
        for nonsense in ["", "t=", "t=x,v1=y", "v1=00", "t=9223372036854775807,v1=00", "t=-9223372036854775808,v1=00"] {
            assert!(!genuine(nonsense.to_owned()), "{nonsense}");
        }
    }
}
