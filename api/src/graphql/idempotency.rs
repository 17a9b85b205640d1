//! The header `Idempotency-Key`: whoever repeats a mutation with it gets the first answer, and nothing is done twice.

use std::io::{Read as _, Seek as _, SeekFrom};

use async_graphql::{Request, Response};
use axum::http::{HeaderMap, StatusCode};
use keroxio_core::idempotency::{Begun, Once};
use keroxio_core::{Actor, App, Error, ErrorCode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::request::Refusal;

const HEADER: &str = "idempotency-key";
/// Codes of answers after which the same request makes sense again.
const PASSING: [ErrorCode; 4] =
    [ErrorCode::UNAVAILABLE, ErrorCode::INTERNAL, ErrorCode::RATE_LIMITED, ErrorCode::TOO_MANY_ATTEMPTS];

/// The key of a request, where it has one that may be one.
pub fn key(headers: &HeaderMap) -> Option<&str> {
    headers.get(HEADER)?.to_str().ok().filter(|key| (1..=255).contains(&key.len()))
}

/// What becomes of a request with a key.
pub enum Outcome {
    /// It has none, or nobody is signed in.
    Unkeyed,
    First(Once),
    Before(Value),
}

/// # Errors
/// `BAD_INPUT` for a key that is none, and those of [`Once::begin`].
pub async fn begin(
    app: &App,
    actor: Option<&Actor>,
    headers: &HeaderMap,
    request: &Request,
) -> Result<Outcome, Refusal> {
    let (Some(key), Some(actor)) = (headers.get(HEADER), actor) else { return Ok(Outcome::Unkeyed) };
    let key = key.to_str().ok().filter(|key| (1..=255).contains(&key.len())).ok_or_else(no_key)?;
    let fingerprint = fingerprint(request).map_err(|e| (StatusCode::SERVICE_UNAVAILABLE, Error::unavailable(e)))?;
    match Once::begin(app, actor, key, fingerprint).await {
        Ok(Begun::First(once)) => Ok(Outcome::First(once)),
        Ok(Begun::Before(answer)) => Ok(Outcome::Before(answer)),
        Err(error) => Err((status(&error), error)),
    }
}

/// Keeps an answer, unless the same request may end otherwise.
pub async fn end(app: &App, once: Once, response: &Response) {
    let is_passing = response.errors.iter().any(|error| {
        let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
        PASSING.iter().any(|passing| code == Some(&passing.0.into()))
    });
    let answer = serde_json::to_value(response).ok().filter(|_| !is_passing);
    if let Err(e) = once.answered(app, answer.as_ref()).await {
        tracing::warn!("the answer to a request with a key could not be kept: {e}");
    }
}

/// Of all that was asked, files included.
fn fingerprint(request: &Request) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    hash.update(&request.query);
    hash.update(request.operation_name.as_deref().unwrap_or_default());
    hash.update(serde_json::to_string(&request.variables)?);
    for file in &request.uploads {
        let mut content = file.content.try_clone()?;
        let mut piece = vec![0; 64 << 10];
        loop {
            match content.read(&mut piece)? {
                0 => break,
                length => hash.update(&piece[..length]),
            }
        }
        // Both handles share their place in the file.
        content.seek(SeekFrom::Start(0))?;
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn status(error: &Error) -> StatusCode {
    match error.code().0 {
        "IDEMPOTENCY_KEY_REUSED" => StatusCode::UNPROCESSABLE_ENTITY,
        "IDEMPOTENCY_IN_PROGRESS" | "IDEMPOTENCY_OUTCOME_UNKNOWN" => StatusCode::CONFLICT,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn no_key() -> Refusal {
    let error = Error::bad_input(
        "Idempotency-Key compte de 1 à 255 caractères ASCII visibles.",
        "Idempotency-Key has 1 to 255 visible ASCII characters.",
    );
    (StatusCode::BAD_REQUEST, error)
}
