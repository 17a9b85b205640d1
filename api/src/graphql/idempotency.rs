//! The header `Idempotency-Key`: whoever repeats a mutation with it gets the first answer, and nothing is done twice. On a
//! WebSocket, where messages have no headers, it is `idempotencyKey` among the extensions of the request.

use std::io::{Read as _, Seek as _, SeekFrom};

use async_graphql::{Request, Response};
use axum::http::{HeaderMap, StatusCode};
use keroxio_core::idempotency::{Begun, Once};
use keroxio_core::{Actor, App, Error, ErrorCode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::request::Refusal;

const HEADER: &str = "idempotency-key";
const EXTENSION: &str = "idempotencyKey";
/// Codes of answers after which the same request makes sense again.
const PASSING: [ErrorCode; 4] =
    [ErrorCode::UNAVAILABLE, ErrorCode::INTERNAL, ErrorCode::RATE_LIMITED, ErrorCode::TOO_MANY_ATTEMPTS];

/// What a request has as its key; empty where that is not text.
pub fn of_headers(headers: &HeaderMap) -> Option<&str> {
    headers.get(HEADER).map(|key| key.to_str().unwrap_or_default())
}

/// [`of_headers`], for a message of a WebSocket.
pub fn of_message(request: &Request) -> Option<String> {
    request.extensions.get(EXTENSION).map(|key| match key {
        async_graphql::Value::String(key) => key.clone(),
        _ => String::new(),
    })
}

/// A key that may be one.
pub fn usable(key: Option<&str>) -> Option<&str> {
    key.filter(|key| (1..=255).contains(&key.len()) && key.bytes().all(|byte| (b' '..=b'~').contains(&byte)))
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
pub async fn begin(app: &App, actor: Option<&Actor>, key: Option<&str>, request: &Request) -> Result<Outcome, Refusal> {
    let (true, Some(actor)) = (key.is_some(), actor) else { return Ok(Outcome::Unkeyed) };
    let key = usable(key).ok_or_else(no_key)?;
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
        "IDEMPOTENCY_IN_PROGRESS" | "IDEMPOTENCY_OUTCOME_UNKNOWN" | "IDEMPOTENCY_ANSWER_NOT_KEPT" => {
            StatusCode::CONFLICT
        }
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
