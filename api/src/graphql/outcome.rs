//! How a request ended, for those who watch over us: a client's mistake is no fault of ours.

use std::time::Instant;

use async_graphql::Response;
use axum::http::StatusCode;
use keroxio_core::ErrorCode;
use keroxio_core::metrics::REQUEST_SECONDS;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    /// The caller asked for what there is not, or what they may not.
    Refused,
    /// We could not do what we should have done.
    Failed,
}

impl Outcome {
    pub fn of(answer: &Response) -> Self {
        let ours = [ErrorCode::INTERNAL, ErrorCode::UNAVAILABLE];
        let is_ours = answer.errors.iter().any(|error| {
            let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
            ours.iter().any(|ours| code == Some(&ours.0.into()))
        });
        match (is_ours, answer.errors.is_empty()) {
            (true, _) => Self::Failed,
            (false, true) => Self::Ok,
            (false, false) => Self::Refused,
        }
    }

    /// Of an answer that was no GraphQL response.
    pub fn of_status(status: StatusCode) -> Self {
        if status.is_server_error() { Self::Failed } else { Self::Refused }
    }

    pub fn record(self, transport: &'static str, started: Instant) {
        let outcome = match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Failed => "failed",
        };
        metrics::histogram!(REQUEST_SECONDS, "transport" => transport, "outcome" => outcome)
            .record(started.elapsed().as_secs_f64());
    }
}
