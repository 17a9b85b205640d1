//! What every transport does with the document of a request: it is read where nobody waits for it, paid for, and executed
//! within its time.

use std::time::Duration;

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Executor, Request, Response, ServerError};
use axum::http::StatusCode;
use keroxio_core::{Actor, App, Authentication, Error, ErrorCode, as_tenant, tenant_of};
use tracing::Instrument as _;

use super::documents::Documents;
use super::door::{self, Pass};
use super::introspection::Introspection;
use super::request::Refusal;
use super::response;

/// Time for one operation.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Reads the document of a request, where this installation answers it.
///
/// # Errors
/// `INTERNAL` when reading it panicked; what is wrong with the document otherwise.
pub async fn read(
    app: &App,
    pass: &Pass,
    who: Authentication,
    request: &mut Request,
) -> Result<Result<ExecutableDocument, Vec<ServerError>>, Error> {
    let (app, text) = (app.clone(), std::mem::take(&mut request.query));
    let length = text.len();
    let read = move || (readable(&app, &text, who), text);
    let is_known = who.is_ok_and(|actor| actor.is_some());
    let (document, text) = door::apart(is_known, length, read).await?;
    request.query = text;
    if let Ok(document) = &document {
        pass.introspect(keroxio_schema::introspections(document));
    }
    Ok(document)
}

fn readable(app: &App, text: &str, who: Authentication) -> Result<ExecutableDocument, Vec<ServerError>> {
    let documents = app.get::<Documents>().unwrap_or_default();
    documents.check(text).map_err(|error| vec![response::coded(error)])?;
    let document = keroxio_schema::read(text).map_err(response::unreadable)?;
    if keroxio_schema::introspections(&document) > 0 {
        let policy = app.get::<Introspection>().unwrap_or_default();
        policy.check(who).map_err(|error| vec![response::coded(error)])?;
    }
    Ok(document)
}

/// Executes an operation that has one answer. It is dropped when its time is over, with the connections it holds: their
/// statements end there too.
///
/// # Errors
/// `UNAVAILABLE` when it took longer than that; `INTERNAL` when it panicked.
pub async fn execute(
    schema: &impl Executor,
    caller: Option<&Actor>,
    mut request: Request,
) -> Result<Response, Refusal> {
    let is_ready = request.parsed_query().is_ok_and(keroxio_schema::only_introspects);
    let (schema, tenant) = (schema.clone(), tenant_of(caller));
    let execution = async move { tokio::time::timeout(TIMEOUT, as_tenant(tenant, schema.execute(request))).await };
    let executed = if is_ready {
        let (handle, execution) = (tokio::runtime::Handle::current(), execution.in_current_span());
        door::apart(caller.is_some(), usize::MAX, move || handle.block_on(execution)).await
    } else {
        Ok(execution.await)
    };
    match executed {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err((StatusCode::GATEWAY_TIMEOUT, timed_out())),
        Err(error) => Err((StatusCode::INTERNAL_SERVER_ERROR, error)),
    }
}

fn timed_out() -> Error {
    Error::new(
        ErrorCode::UNAVAILABLE,
        "La requête a dépassé le temps accordé. Réessayez avec moins de champs.",
        "The request took longer than allowed. Try again with fewer fields.",
    )
}
