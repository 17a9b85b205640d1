//! Answers as clients understand them: media type, status, and a code in every error.

use async_graphql::parser::types::OperationDefinition;
use async_graphql::{Pos, Response, ServerError, Value, Variables};
use async_graphql_axum::GraphQLResponse;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response as HttpResponse};
use keroxio_core::{Error, ErrorCode, GqlError};
use keroxio_schema::Unreadable;
use serde_json::json;

use super::outcome::Outcome;

const MODERN: &str = "application/graphql-response+json";
const OLD: &str = "application/json";
/// The document is not written as the language wants it.
const PARSE_FAILED: &str = "GRAPHQL_PARSE_FAILED";
/// The document or its variables do not fit the schema.
const VALIDATION_FAILED: &str = "GRAPHQL_VALIDATION_FAILED";

/// The media type a client wants. The older one reports every GraphQL error with 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Modern,
    Old,
}

impl Format {
    /// The one of higher quality in `Accept`; the older where nothing decides, as the specification wants.
    pub fn wanted(headers: &HeaderMap) -> Self {
        let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let quality = |media: &str| {
            let of = accept.split(',').filter_map(|range| {
                let mut parts = range.split(';').map(str::trim);
                (parts.next()?.eq_ignore_ascii_case(media)).then(|| {
                    let q = parts.find_map(|part| part.strip_prefix("q="));
                    q.and_then(|q| q.parse::<f32>().ok()).unwrap_or(1.0)
                })
            });
            of.fold(0.0, f32::max)
        };
        let (modern, old) = (quality(MODERN), quality(OLD));
        // Both alike: the one named first.
        let first = accept.find(MODERN) < accept.find(OLD) || !accept.contains(OLD);
        if modern > 0.0 && (modern > old || (modern - old).abs() < f32::EPSILON && first) {
            Self::Modern
        } else {
            Self::Old
        }
    }

    fn media_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Modern => "application/graphql-response+json; charset=utf-8",
            Self::Old => "application/json; charset=utf-8",
        })
    }

    /// The document was executed, with errors or without.
    ///
    /// Where nothing came of it because a service we need is away, whoever sent it is told by HTTP as well, so that
    /// proxies and clients that know nothing of GraphQL wait and try again. In the older media type every answer is
    /// a 200 (GraphQL over HTTP, section 6.4.1).
    pub fn executed(self, response: Response) -> HttpResponse {
        let wait = if response.data == Value::Null { when_back(&response.errors) } else { None };
        let mut answer = GraphQLResponse::from(response).into_response();
        answer.headers_mut().insert(header::CONTENT_TYPE, self.media_type());
        if let Some(seconds) = wait {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            if self == Self::Modern {
                *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            }
        }
        answer
    }

    /// It was executed before, by the same request: this was the answer.
    pub fn replayed(self, answer: &serde_json::Value) -> HttpResponse {
        let mut answer = (StatusCode::OK, answer.to_string()).into_response();
        answer.headers_mut().insert(header::CONTENT_TYPE, self.media_type());
        answer.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
        answer.extensions_mut().insert(Outcome::Ok);
        answer
    }

    /// The document could not be executed.
    pub fn invalid(self, errors: Vec<ServerError>) -> HttpResponse {
        if let Some(seconds) = errors.iter().find_map(seconds_to_wait) {
            let mut answer = self.with(StatusCode::TOO_MANY_REQUESTS, &errors);
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            return answer;
        }
        let status = if self == Self::Modern { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        self.with(status, &errors)
    }

    /// The request never reached the schema.
    pub fn refuse(self, status: StatusCode, error: Error) -> HttpResponse {
        self.with(status, &[coded(error)])
    }

    pub fn only_by_post(self, error: Error) -> HttpResponse {
        let mut answer = self.refuse(StatusCode::METHOD_NOT_ALLOWED, error);
        answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        answer
    }

    fn with(self, status: StatusCode, errors: &[ServerError]) -> HttpResponse {
        let body = json!({ "errors": errors }).to_string();
        (status, [(header::CONTENT_TYPE, self.media_type())], body).into_response()
    }
}

/// Of an error that says that too much was asked for.
fn seconds_to_wait(error: &ServerError) -> Option<u64> {
    retry_after(error, ErrorCode::RATE_LIMITED)
}

/// Where all errors say that a service is away: when it may be back.
fn when_back(errors: &[ServerError]) -> Option<u64> {
    let seconds: Option<Vec<u64>> = errors.iter().map(|error| retry_after(error, ErrorCode::UNAVAILABLE)).collect();
    seconds?.into_iter().max()
}

fn retry_after(error: &ServerError, code: ErrorCode) -> Option<u64> {
    let extensions = error.extensions.as_ref()?;
    let details = extensions.get("details").filter(|_| extensions.get("code") == Some(&code.0.into()))?;
    details.clone().into_json().ok()?.get("retryAfterSeconds")?.as_u64()
}

/// One of our errors, as GraphQL carries it.
pub fn coded(error: Error) -> ServerError {
    let mut error = async_graphql::Error::from(GqlError::from(error)).into_server_error(Pos::default());
    error.locations.clear();
    error
}

pub fn unreadable(why: Unreadable) -> Vec<ServerError> {
    vec![match why {
        Unreadable::Refused(error) => coded(error),
        Unreadable::Syntax { message, at } => {
            let mut error = ServerError::new(message, at);
            error.extensions.get_or_insert_default().set("code", PARSE_FAILED);
            error
        }
    }]
}

/// What is wrong with the variables of an operation.
pub fn of_variables(operation: &OperationDefinition, variables: &Variables) -> Vec<ServerError> {
    let mut errors = keroxio_schema::check_variables(operation, variables);
    for error in &mut errors {
        error.extensions.get_or_insert_default().set("code", ErrorCode::BAD_INPUT.0);
    }
    errors
}

/// Whether a document came as far as its execution. An error of the library's validation is at no field.
pub fn was_executed(response: &Response) -> bool {
    response.errors.is_empty()
        || response.data != async_graphql::Value::Null
        || response.errors.iter().any(|error| !error.path.is_empty())
}

/// Our errors have their codes; those of the library get one.
pub fn give_codes(response: &mut Response) {
    for error in &mut response.errors {
        let extensions = error.extensions.get_or_insert_default();
        if extensions.get("code").is_some() {
            continue;
        }
        let limits = ["too complex", "too deep", "recursion", "number of", "amount of"];
        let code = if !error.path.is_empty() {
            ErrorCode::BAD_INPUT.0
        } else if limits.iter().any(|words| error.message.contains(words)) {
            ErrorCode::QUERY_TOO_COMPLEX.0
        } else {
            VALIDATION_FAILED
        };
        extensions.set("code", code);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_accepted_media_type_is_answered() {
        let wanted = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            Format::wanted(&headers)
        };
        assert_eq!(Format::wanted(&HeaderMap::new()), Format::Old);
        for modern in [
            "application/graphql-response+json",
            "application/graphql-response+json, application/json",
            "application/json;q=0.5, application/graphql-response+json;q=0.9",
            "application/graphql-response+json; charset=utf-8",
        ] {
            assert_eq!(wanted(modern), Format::Modern, "{modern}");
        }
        for old in [
            "*/*",
            "application/json",
            "application/*",
            "application/json, application/graphql-response+json",
            "application/graphql-response+json;q=0, application/json",
            "image/png",
        ] {
            assert_eq!(wanted(old), Format::Old, "{old}");
        }
    }
}
