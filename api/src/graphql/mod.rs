//! GraphQL over HTTP (the specification of that name) and over WebSocket (graphql-transport-ws), with the guards the
//! library leaves to us.

pub mod documents;
pub mod door;
mod idempotency;
pub mod introspection;
mod multipart;
mod operation;
mod outcome;
mod request;
mod response;
mod socket;

use std::time::Instant;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{Executor, Request};
use axum::Router;
use axum::body::HttpBody as _;
use axum::extract::{FromRequestParts as _, State, WebSocketUpgrade};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response as HttpResponse;
use axum::routing::get;
use keroxio_core::idempotency::IdempotencyKey;
use keroxio_core::{App, Authentication, ClientAddress, ClientAgent, Error, ErrorCode, Loaders, as_tenant, tenant_of};

use door::{Door, Pass};
use idempotency::Outcome as Begun;
use outcome::Outcome;
use request::{Refusal, bad_request};
use response::Format;

/// Largest JSON body, in bytes.
const MAX_JSON: usize = 1 << 20;
/// A body that is taken from the connection even though its caller is refused, in bytes.
const SMALL: u64 = 64 << 10;
/// The only subprotocol spoken.
const PROTOCOL: &str = "graphql-transport-ws";

pub fn router(schema: impl Executor) -> Router<App> {
    let (on_get, on_post) = (schema.clone(), schema);
    Router::new().route(
        "/graphql",
        get(move |State(app): State<App>, request: axum::extract::Request| get_graphql(app, on_get, request))
            .post(move |State(app): State<App>, request: axum::extract::Request| post_graphql(app, on_post, request)),
    )
}

/// WebSocket upgrades and queries in the address; mutations need POST.
async fn get_graphql(app: App, schema: impl Executor, request: axum::extract::Request) -> HttpResponse {
    let (mut parts, _) = request.into_parts();
    if parts.headers.contains_key(header::UPGRADE) {
        return upgrade(app, schema, &mut parts).await;
    }
    let caller = match Caller::enter(&app, &parts).await {
        Ok(caller) => caller,
        Err(refused) => return refused,
    };
    caller.pass.read(parts.uri.query().map_or(0, str::len));
    let request = request::from_query(&app, &caller, &parts.uri).await;
    Box::pin(caller.serve(&app, &schema, &parts.headers, request, true)).await
}

async fn upgrade(app: App, schema: impl Executor, parts: &mut Parts) -> HttpResponse {
    let (format, address, token) =
        (Format::wanted(&parts.headers), parts.extensions.get().copied(), bearer(&parts.headers));
    let pass = match app.get::<Door>().unwrap_or_default().connect(&app, address) {
        Ok(pass) => pass,
        Err(error) => {
            door::dwell().await;
            return format.invalid(vec![response::coded(error)]);
        }
    };
    match WebSocketUpgrade::from_request_parts(parts, &()).await {
        Ok(upgrade) => upgrade
            // tungstenite reserves 128 KiB a socket otherwise, and fills what is free of it with zeros at each reading.
            .read_buffer_size(1_024)
            .write_buffer_size(1_024)
            .max_message_size(MAX_JSON)
            .max_frame_size(MAX_JSON)
            .protocols([PROTOCOL])
            .on_upgrade(move |socket| socket::serve(socket, app, schema, token, address, pass)),
        Err(_) => {
            pass.fault();
            format.refuse(StatusCode::BAD_REQUEST, bad_request())
        }
    }
}

async fn post_graphql(app: App, schema: impl Executor, request: axum::extract::Request) -> HttpResponse {
    let (parts, body) = request.into_parts();
    let mut caller = match Caller::enter(&app, &parts).await {
        Ok(caller) => caller,
        Err(refused) => {
            // What is small has arrived with its head; the client of anything else is not waited for.
            if body.size_hint().lower() <= SMALL {
                request::drain(body.into_data_stream()).await;
            }
            return refused;
        }
    };
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let request = match essence.as_str() {
        "application/json" => Box::pin(request::from_json(&app, &caller, body)).await,
        // A form can send multipart from any site without asking first; these headers cannot be forged there.
        "multipart/form-data" if has_preflight_header(&parts.headers) => {
            // What is kept of it while it arrives counts from its beginning.
            if let Err(error) = caller.pass.begin() {
                return caller.format.invalid(vec![response::coded(error)]);
            }
            Box::pin(multipart::request(content_type, body, &caller)).await
        }
        "multipart/form-data" => Err((StatusCode::FORBIDDEN, preflight_required())),
        _ => Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, bad_request())),
    };
    // Whoever is turned away shall not have taken the memory of all that might have been done.
    Box::pin(caller.serve(&app, &schema, &parts.headers, request, false)).await
}

/// Who a request comes from, and that it was let in.
pub struct Caller {
    actor: Authentication,
    address: Option<ClientAddress>,
    format: Format,
    pub pass: Pass,
}

impl Caller {
    async fn enter(app: &App, parts: &Parts) -> Result<Self, HttpResponse> {
        let (format, address) = (Format::wanted(&parts.headers), parts.extensions.get().copied());
        let door = app.get::<Door>().unwrap_or_default();
        let token = bearer(&parts.headers);
        if token.as_deref().is_some_and(keroxio_auth::service::is_key)
            && let Err(error) = door.owes_nothing(app, address)
        {
            door::dwell().await;
            return Err(format.invalid(vec![response::coded(error)]));
        }
        let actor = authenticate(app, token.as_deref()).await;
        let pass = door.enter(app, actor.ok().flatten().as_ref(), address);
        match pass {
            Ok(pass) => {
                if actor.is_err() {
                    pass.fault();
                }
                Ok(Self { actor, address, format, pass })
            }
            Err(error) => {
                door::dwell().await;
                Err(format.invalid(vec![response::coded(error)]))
            }
        }
    }

    pub fn is_known(&self) -> bool {
        self.actor.is_ok_and(|actor| actor.is_some())
    }

    async fn serve(
        mut self,
        app: &App,
        schema: &impl Executor,
        headers: &HeaderMap,
        request: Result<Request, Refusal>,
        read_only: bool,
    ) -> HttpResponse {
        let started = Instant::now();
        let answer = match (request, self.pass.begin()) {
            (_, Err(error)) => return self.format.invalid(vec![response::coded(error)]),
            (Ok(request), Ok(())) => answer(app, schema, headers, &self, request, read_only).await,
            (Err((status, error)), Ok(())) => self.format.refuse(status, error),
        };
        // A persisted query that is not found is answered with 200, as its protocol wants, and so are errors of fields.
        if answer.status().is_client_error() {
            self.pass.fault();
        }
        let outcome = answer.extensions().get::<Outcome>().copied();
        outcome.unwrap_or_else(|| Outcome::of_status(answer.status())).record("http", started);
        answer
    }
}

fn has_preflight_header(headers: &HeaderMap) -> bool {
    let known = ["authorization", "x-requested-with", "apollo-require-preflight", "graphql-require-preflight"];
    known.iter().chain(&["x-apollo-operation-name"]).any(|name| headers.get(*name).is_some_and(|v| !v.is_empty()))
}

async fn answer(
    app: &App,
    schema: &impl Executor,
    headers: &HeaderMap,
    caller: &Caller,
    request: Request,
    read_only: bool,
) -> HttpResponse {
    let (actor, format) = (caller.actor, caller.format);
    let mut request = with(request, caller.address, agent(headers));
    let mut document = match operation::read(app, &caller.pass, actor, &mut request).await {
        Ok(Ok(document)) => document,
        Ok(Err(errors)) => return format.invalid(errors),
        Err(error) => return format.refuse(StatusCode::INTERNAL_SERVER_ERROR, error),
    };
    if let Some(name) = &request.operation_name {
        tracing::Span::current().record("operation", name.get(..name.len().min(100)).unwrap_or_default());
    }
    let operation = chosen(&document, request.operation_name.as_deref());
    let kind = operation.map(|operation| operation.ty);
    if read_only && kind.is_some_and(|kind| kind != OperationType::Query) {
        return format.only_by_post(post_required());
    }
    if kind == Some(OperationType::Subscription) {
        return format.refuse(StatusCode::BAD_REQUEST, socket_required());
    }
    let wrong = operation.map(|operation| response::of_variables(operation, &request.variables)).unwrap_or_default();
    if !wrong.is_empty() {
        return format.invalid(wrong);
    }
    keroxio_schema::leave_out_omitted(&mut document, &request.variables);
    let known = actor.ok().flatten().filter(|_| kind == Some(OperationType::Mutation));
    let tenant = tenant_of(actor.ok().flatten().as_ref());
    let key = idempotency::of_headers(headers);
    if let Some(caller) = actor.ok().flatten() {
        let counted = keroxio_subscription::service::call(app, &caller, idempotency::usable(key));
        if let Err(error) = as_tenant(tenant, counted).await {
            return format.invalid(vec![response::coded(error)]);
        }
    }
    let once = match as_tenant(tenant, idempotency::begin(app, known.as_ref(), key, &request)).await {
        Ok(Begun::Before(answer)) => return format.replayed(&answer),
        Ok(Begun::First(once)) => Some(once),
        Ok(Begun::Unkeyed) => None,
        Err((status, error)) => return format.refuse(status, error),
    };
    let (mut request, _shared) = keroxio_schema::share(request.data(actor).data(Loaders::default()));
    if let Some(key) = idempotency::usable(key) {
        request = request.data(IdempotencyKey(key.to_owned()));
    }
    request.set_parsed_query(document);
    let mut answer = match operation::execute(schema, actor.ok().flatten().as_ref(), request).await {
        Ok(answer) => answer,
        Err((status, error)) => return format.refuse(status, error),
    };
    response::give_codes(&mut answer);
    if let Some(once) = once {
        as_tenant(tenant, idempotency::end(app, once, &answer)).await;
    }
    let outcome = Outcome::of(&answer);
    let mut told =
        if response::was_executed(&answer) { format.executed(answer) } else { format.invalid(answer.errors) };
    told.extensions_mut().insert(outcome);
    told
}

/// The operation a request names, or its only one; none where that is not decided.
fn chosen<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(&operation.node),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name).map(|o| &o.node),
        // The parser calls a document of one named operation multiple too.
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => {
            operations.values().next().map(|operation| &operation.node)
        }
        (DocumentOperations::Multiple(_), None) => None,
    }
}

/// Tells resolvers where a request comes from.
fn with(request: Request, address: Option<ClientAddress>, agent: Option<String>) -> Request {
    let request = match address {
        Some(address) => request.data(address),
        None => request,
    };
    match agent {
        Some(agent) => request.data(ClientAgent(agent)),
        None => request,
    }
}

fn agent(headers: &HeaderMap) -> Option<String> {
    headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).map(|text| text.chars().take(200).collect())
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// `Bearer` is optional in front of the token, as clients differ.
async fn authenticate(app: &App, authorization: Option<&str>) -> Authentication {
    let Some(value) = authorization else { return Ok(None) };
    let token = value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer ")).unwrap_or(value);
    keroxio_auth::service::authenticate(app, token.trim()).await.map(Some)
}

fn preflight_required() -> Error {
    Error::new(
        ErrorCode::FORBIDDEN,
        "Un envoi multipart demande un en-tête Authorization, X-Requested-With ou Apollo-Require-Preflight.",
        "A multipart request needs an Authorization, X-Requested-With or Apollo-Require-Preflight header.",
    )
}

fn post_required() -> Error {
    Error::bad_input(
        "GET n'accepte que des requêtes de lecture : utilisez POST.",
        "GET accepts queries only: use POST.",
    )
}

fn socket_required() -> Error {
    Error::bad_input(
        "Un abonnement demande une connexion WebSocket (graphql-transport-ws) à la même adresse.",
        "A subscription needs a WebSocket connection (graphql-transport-ws) to the same address.",
    )
}
