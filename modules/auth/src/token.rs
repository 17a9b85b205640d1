use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use keroxio_core::{Actor, Error, ErrorCode, Result, Role};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

const ISSUER: &str = "keroxio";

/// Keys of access tokens, derived from the installation's secret for this purpose only.
#[derive(Clone)]
pub struct Keys {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: Uuid,
    org: Uuid,
    #[serde(default)]
    staff: bool,
    exp: i64,
    iat: i64,
}

impl Keys {
    pub fn new(secret: &str) -> Self {
        let key = Sha256::digest(format!("jwt:{secret}"));
        Self { encoding: EncodingKey::from_secret(&key), decoding: DecodingKey::from_secret(&key) }
    }

    pub fn lifetime() -> Duration {
        Duration::minutes(15)
    }

    pub fn issue(&self, user: Uuid, org: Uuid, staff: bool, now: DateTime<Utc>) -> Result<(String, DateTime<Utc>)> {
        let expires = now + Self::lifetime();
        let claims =
            Claims { iss: ISSUER.to_owned(), sub: user, org, staff, exp: expires.timestamp(), iat: now.timestamp() };
        let token = encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).map_err(Error::internal)?;
        Ok((token, expires))
    }

    /// Only HS256 is accepted, whatever the token's header claims; expiry is judged by our clock.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> std::result::Result<Actor, ErrorCode> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.validate_exp = false;
        let claims =
            decode::<Claims>(token, &self.decoding, &validation).map_err(|_| ErrorCode::UNAUTHENTICATED)?.claims;
        if claims.exp <= now.timestamp() {
            return Err(ErrorCode::TOKEN_EXPIRED);
        }
        Ok(Actor { user_id: claims.sub, org_id: claims.org, role: Role::Owner, staff: claims.staff })
    }
}

/// A refresh token for the client, and what we store of it.
pub fn refresh() -> (String, String) {
    let token = hex::encode(rand::random::<[u8; 32]>());
    let hash = hash_refresh(&token);
    (token, hash)
}

pub fn hash_refresh(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_token_lives_fifteen_minutes_and_cannot_be_forged() {
        let keys = Keys::new("one secret of at least thirty-two characters");
        let (user, org, now) = (Uuid::now_v7(), Uuid::now_v7(), Utc::now());
        let (token, expires) = keys.issue(user, org, false, now).unwrap();
        assert_eq!(keys.verify(&token, now).unwrap().org_id, org);
        assert_eq!(keys.verify(&token, expires).unwrap_err(), ErrorCode::TOKEN_EXPIRED);
        let other = Keys::new("another secret of at least thirty-two characters");
        assert_eq!(other.verify(&token, now).unwrap_err(), ErrorCode::UNAUTHENTICATED);
        // {"alg":"none","typ":"JWT"} with the same claims and no signature.
        let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.", token.split('.').nth(1).unwrap());
        assert_eq!(keys.verify(&unsigned, now).unwrap_err(), ErrorCode::UNAUTHENTICATED);
    }
}
