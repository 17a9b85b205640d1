use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::ErrorExtensions as _;
use serde_json::Value;
use uuid::Uuid;

pub type Result<T, E = Error> = std::result::Result<T, E>;
pub type GqlResult<T> = std::result::Result<T, GqlError>;

/// Stable name of an error, for programs. The kernel's are below; each module declares its own in its `error.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorCode(pub &'static str);

impl ErrorCode {
    pub const INTERNAL: Self = Self("INTERNAL");
    pub const UNAVAILABLE: Self = Self("UNAVAILABLE");
    pub const UNAUTHENTICATED: Self = Self("UNAUTHENTICATED");
    pub const TOKEN_EXPIRED: Self = Self("TOKEN_EXPIRED");
    pub const FORBIDDEN: Self = Self("FORBIDDEN");
    pub const NOT_FOUND: Self = Self("NOT_FOUND");
    pub const BAD_INPUT: Self = Self("BAD_INPUT");
    pub const JOB_NOT_CANCELLABLE: Self = Self("JOB_NOT_CANCELLABLE");
    pub const QUEUE_FULL: Self = Self("QUEUE_FULL");
    pub const TOO_MANY_ATTEMPTS: Self = Self("TOO_MANY_ATTEMPTS");
    pub const RATE_LIMITED: Self = Self("RATE_LIMITED");
    pub const FEATURE_OFF: Self = Self("FEATURE_OFF");
    pub const ORGANIZATION_SUSPENDED: Self = Self("ORGANIZATION_SUSPENDED");
    pub const QUERY_TOO_COMPLEX: Self = Self("QUERY_TOO_COMPLEX");
}

/// What a service answers when it cannot do what was asked: a code for programs and a sentence,
/// in French and English, that says what to do. The cause is for the log only.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    code: ErrorCode,
    fr: Cow<'static, str>,
    en: Cow<'static, str>,
    details: Option<Value>,
    cause: Option<anyhow::Error>,
}

impl Error {
    /// An error the caller can act on.
    pub fn new(code: ErrorCode, fr: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner { code, fr: fr.into(), en: en.into(), details: None, cause: None }))
    }

    /// Machine-readable facts about the error; must not hold anything internal.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.0.details = Some(details);
        self
    }

    /// Adds one fact to those there are.
    #[must_use]
    pub fn with_detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        let mut details = self.0.details.take().and_then(|details| details.as_object().cloned()).unwrap_or_default();
        details.insert(name.to_owned(), value.into());
        self.with_details(Value::Object(details))
    }

    fn caused(cause: anyhow::Error, mut error: Self) -> Self {
        error.0.cause = Some(cause);
        error
    }

    /// Something broke on our side.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self::caused(
            cause.into(),
            Self::new(
                ErrorCode::INTERNAL,
                "Une erreur interne est survenue. Réessayez ; si elle persiste, transmettez l'identifiant d'erreur au support.",
                "Something went wrong on our side. Try again; if it persists, send the error id to support.",
            ),
        )
    }

    /// Seconds after which it is worth trying again what was [`Self::unavailable`]: longer than a restart takes.
    const RECOVERS_WITHIN: u64 = 5;

    /// A service we need is away for a moment.
    pub fn unavailable(cause: impl Into<anyhow::Error>) -> Self {
        Self::caused(
            cause.into(),
            Self::new(
                ErrorCode::UNAVAILABLE,
                "Le service est momentanément indisponible. Réessayez dans quelques secondes.",
                "The service is unavailable for a moment. Try again in a few seconds.",
            )
            .with_detail("retryAfterSeconds", Self::RECOVERS_WITHIN),
        )
    }

    /// Absent and not yours are the same answer, so that ids cannot be probed.
    pub fn not_found(what_fr: &str, what_en: &str) -> Self {
        Self::new(
            ErrorCode::NOT_FOUND,
            format!("{what_fr} introuvable : vérifiez l'identifiant."),
            format!("{what_en} not found: check the id."),
        )
    }

    pub fn bad_input(fr: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::BAD_INPUT, fr, en)
    }

    fn nul_character() -> Self {
        Self::bad_input(
            "Un texte contient un caractère nul (U+0000), qui ne peut pas être enregistré : retirez-le.",
            "A text holds a NUL character (U+0000), which cannot be stored: remove it.",
        )
    }

    pub fn unauthenticated() -> Self {
        Self::new(
            ErrorCode::UNAUTHENTICATED,
            "Connectez-vous : cette opération demande un jeton d'accès valide.",
            "Log in: this operation needs a valid access token.",
        )
    }

    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The French sentence.
    pub fn message_fr(&self) -> &str {
        &self.0.fr
    }

    /// The English sentence.
    pub fn message_en(&self) -> &str {
        &self.0.en
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.0.code.0, self.0.en)?;
        self.0.cause.as_ref().map_or(Ok(()), |cause| write!(f, " ({cause:#})"))
    }
}

impl std::error::Error for Error {}

impl From<diesel::result::Error> for Error {
    fn from(cause: diesel::result::Error) -> Self {
        if holds_nul(&cause) {
            Self::nul_character()
        } else if is_read_only(&cause) {
            Self::unavailable(cause)
        } else {
            Self::internal(cause)
        }
    }
}

/// Whether PostgreSQL only reads: it is in recovery, and another one is the primary, or will be.
fn is_read_only(cause: &diesel::result::Error) -> bool {
    use diesel::result::{DatabaseErrorKind, Error};
    matches!(cause, Error::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _))
}

/// Whether PostgreSQL refused a text for its NUL, wherever in a request that came from. Its message is translated, the
/// number in it is not.
fn holds_nul(cause: &diesel::result::Error) -> bool {
    matches!(cause, diesel::result::Error::DatabaseError(_, what) if what.message().ends_with(": 0x00"))
}

impl From<anyhow::Error> for Error {
    fn from(cause: anyhow::Error) -> Self {
        Self::internal(cause)
    }
}

impl From<serde_json::Error> for Error {
    fn from(cause: serde_json::Error) -> Self {
        Self::internal(cause)
    }
}

impl From<fred::error::Error> for Error {
    fn from(cause: fred::error::Error) -> Self {
        Self::unavailable(cause)
    }
}

/// The only error a resolver may return. It has no `Display`, so `?` on a foreign error does not
/// compile in a resolver: nothing internal can reach a client by accident.
#[derive(Debug, Clone)]
pub struct GqlError(Arc<Error>);

impl From<Error> for GqlError {
    fn from(error: Error) -> Self {
        Self(Arc::new(error))
    }
}

impl From<GqlError> for async_graphql::Error {
    fn from(GqlError(error): GqlError) -> Self {
        let error = &error.0;
        let error_id = Uuid::now_v7();
        if let Some(cause) = &error.cause {
            tracing::error!(%error_id, code = error.code.0, "request failed: {cause:#}");
        }
        Self::new(error.fr.as_ref()).extend_with(|_, e| {
            e.set("code", error.code.0);
            e.set("messageEn", error.en.as_ref());
            e.set("errorId", error_id.to_string());
            if let Some(details) = error.details.clone().and_then(|d| async_graphql::Value::from_json(d).ok()) {
                e.set("details", details);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use diesel::result::{DatabaseErrorKind, Error as Cause};

    use super::*;

    #[test]
    fn a_database_that_only_reads_is_away_for_a_moment() {
        let told = |kind| Error::from(Cause::DatabaseError(kind, Box::new("cannot execute INSERT".to_owned()))).code();
        assert_eq!(told(DatabaseErrorKind::ReadOnlyTransaction), ErrorCode::UNAVAILABLE);
        assert_eq!(told(DatabaseErrorKind::UniqueViolation), ErrorCode::INTERNAL);
    }
}
