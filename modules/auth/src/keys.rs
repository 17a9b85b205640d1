//! Access tokens: JWT signed with Ed25519 (EdDSA, RFC 8037). Several keys may be known at a time, so that one takes the
//! place of another while tokens of both are about.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use ed25519_dalek::SigningKey;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use keroxio_core::{Env, Error, ErrorCode, Result, Role, Secret};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

const ISSUER: &str = "keroxio";
/// How long an access token is good for, in minutes.
pub const LIFETIME: i64 = 15;
/// What comes before the seed in the DER of a private key (PKCS #8 version 1, RFC 8410).
const PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The keys of this installation: the first signs, all are believed.
#[derive(Clone)]
pub struct Keys(Vec<Key>);

#[derive(Clone)]
struct Key {
    /// Thumbprint of the public key (RFC 7638).
    id: String,
    /// The public key, base64url.
    x: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    pub sub: Uuid,
    pub org: Uuid,
    /// The session.
    pub sid: Uuid,
    pub role: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub staff: bool,
    /// Whether the organization is on hold.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// Whether they have no account yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guest: bool,
    /// Whoever of staff acts in this place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Uuid>,
    pub exp: i64,
    /// In milliseconds: what changed in the same second must be told apart.
    pub issued_ms: i64,
}

impl Keys {
    /// `KEROXIO_JWT_KEYS`: secrets separated by commas, the first of which signs; one made from the installation's own
    /// secret by default. To change it, add the new one at the end everywhere, then bring it to the front everywhere,
    /// then drop the old one after fifteen minutes.
    pub fn read(env: &Env) -> Self {
        let own = env.required("KEROXIO_SECRET_KEY", "at least 32 random characters, e.g. `openssl rand -hex 32`");
        if !own.is_empty() && own.len() < 32 {
            env.problem("KEROXIO_SECRET_KEY has fewer than 32 characters".to_owned());
        }
        let secrets: Vec<Secret> = match env.optional("KEROXIO_JWT_KEYS") {
            Some(listed) => listed.split(',').map(|secret| Secret::new(secret.trim())).collect(),
            None => vec![Secret::new(own)],
        };
        // Also one of none at all, as a comma too many makes it: anybody could sign with that.
        if env.optional("KEROXIO_JWT_KEYS").is_some() && secrets.iter().any(|secret| secret.expose().len() < 32) {
            env.problem("KEROXIO_JWT_KEYS: a secret has fewer than 32 characters".to_owned());
        }
        Self::new(&secrets)
    }

    fn new(secrets: &[Secret]) -> Self {
        Self(secrets.iter().map(Key::of).collect())
    }

    pub fn issue(&self, bearer: &Bearer, now: DateTime<Utc>) -> Result<Issued> {
        let key = self.0.first().ok_or_else(|| Error::internal(anyhow::anyhow!("no signing key")))?;
        let expires_at = now + Duration::minutes(LIFETIME);
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: bearer.user,
            org: bearer.org,
            sid: bearer.session,
            role: bearer.role.name().to_owned(),
            staff: bearer.staff,
            held: bearer.held,
            guest: bearer.guest,
            by: bearer.by,
            exp: expires_at.timestamp(),
            issued_ms: now.timestamp_millis(),
        };
        let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::EdDSA) };
        let token = encode(&header, &claims, &key.encoding).map_err(Error::internal)?;
        Ok(Issued { token, expires_at })
    }

    /// Only EdDSA by a key of ours is believed, whatever the header claims; expiry is judged by our clock.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> std::result::Result<Claims, ErrorCode> {
        let header = decode_header(token).map_err(|_| ErrorCode::UNAUTHENTICATED)?;
        let key = self.0.iter().find(|key| Some(&key.id) == header.kid.as_ref()).ok_or(ErrorCode::UNAUTHENTICATED)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.validate_exp = false;
        let claims =
            decode::<Claims>(token, &key.decoding, &validation).map_err(|_| ErrorCode::UNAUTHENTICATED)?.claims;
        if claims.exp <= now.timestamp() { Err(ErrorCode::TOKEN_EXPIRED) } else { Ok(claims) }
    }

    /// The public keys as a JSON Web Key Set (RFC 7517), for whoever verifies our tokens.
    pub fn public(&self) -> Value {
        let keys = self.0.iter().map(
            |key| json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.id, "x": key.x }),
        );
        json!({ "keys": keys.collect::<Vec<_>>() })
    }
}

/// Whom an access token is for.
pub struct Bearer {
    pub user: Uuid,
    pub org: Uuid,
    pub session: Uuid,
    pub role: Role,
    pub staff: bool,
    /// Whether the organization is on hold.
    pub held: bool,
    /// Whether they have no account yet.
    pub guest: bool,
    /// Whoever of staff acts in their place.
    pub by: Option<Uuid>,
}

/// An access token and when it ends.
pub struct Issued {
    pub token: String,
    pub expires_at: DateTime<Utc>,
}

impl Key {
    fn of(secret: &Secret) -> Self {
        let seed: [u8; 32] = Sha256::digest(format!("jwt-ed25519:{}", secret.expose())).into();
        let public = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
        let x = URL_SAFE_NO_PAD.encode(public);
        // The members that RFC 8037 asks for, in the order of their names.
        let thumbprint = Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#));
        Self {
            id: URL_SAFE_NO_PAD.encode(thumbprint),
            x,
            encoding: EncodingKey::from_ed_der(&[PKCS8.as_slice(), &seed].concat()),
            decoding: DecodingKey::from_ed_der(&public),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn keys(names: &[&str]) -> Keys {
        let secrets: Vec<_> =
            names.iter().map(|n| Secret::new(format!("{n} secret of thirty-two characters"))).collect();
        Keys::new(&secrets)
    }

    fn token(keys: &Keys, now: DateTime<Utc>) -> Issued {
        let [user, org, session] = std::array::from_fn(|_| Uuid::now_v7());
        let bearer =
            Bearer { user, org, session, role: Role::Seller, staff: false, held: false, guest: false, by: None };
        keys.issue(&bearer, now).unwrap()
    }

    #[test]
    fn a_token_lives_fifteen_minutes_and_cannot_be_forged() {
        let (ours, now) = (keys(&["one"]), Utc::now());
        let issued = token(&ours, now);
        assert_eq!(ours.verify(&issued.token, now).unwrap().role, "seller");
        assert_eq!(ours.verify(&issued.token, issued.expires_at).unwrap_err(), ErrorCode::TOKEN_EXPIRED);
        assert_eq!(keys(&["other"]).verify(&issued.token, now).unwrap_err(), ErrorCode::UNAUTHENTICATED);
        let parts: Vec<&str> = issued.token.split('.').collect();
        let kid = ours.0[0].id.as_str();
        // The same claims without a signature, and signed by HMAC with what anybody can know: the public key.
        let none = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"none","typ":"JWT","kid":"{kid}"}}"#));
        assert_eq!(ours.verify(&format!("{none}.{}.", parts[1]), now).unwrap_err(), ErrorCode::UNAUTHENTICATED);
        let claims = ours.verify(&issued.token, now).unwrap();
        let public = URL_SAFE_NO_PAD.decode(&ours.0[0].x).unwrap();
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::HS256) };
        let swapped = encode(&header, &claims, &EncodingKey::from_secret(&public)).unwrap();
        assert_eq!(ours.verify(&swapped, now).unwrap_err(), ErrorCode::UNAUTHENTICATED);
    }

    #[test]
    fn a_key_takes_the_place_of_another() {
        let now = Utc::now();
        let (before, both, after) = (keys(&["old"]), keys(&["new", "old"]), keys(&["new"]));
        let (old, new) = (token(&before, now).token, token(&both, now).token);
        assert!(both.verify(&old, now).is_ok() && both.verify(&new, now).is_ok() && after.verify(&new, now).is_ok());
        assert!(after.verify(&old, now).is_err());
        assert_eq!(both.public()["keys"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn a_comma_too_many_makes_no_key_that_everybody_has() {
        let own = ("KEROXIO_SECRET_KEY".to_owned(), "a secret of at least thirty-two characters".to_owned());
        for listed in ["another secret of thirty-two characters,", ",", "short"] {
            let env = Env::from_vars([own.clone(), ("KEROXIO_JWT_KEYS".to_owned(), listed.to_owned())]);
            Keys::read(&env);
            assert!(env.check().is_err(), "{listed}");
        }
        let env = Env::from_vars([own]);
        Keys::read(&env);
        assert!(env.check().is_ok());
    }
}
