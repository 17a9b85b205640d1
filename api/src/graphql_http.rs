//! GraphQL over HTTP and WebSocket, with the guards the library leaves to us.

use std::time::{Duration, Instant};

use async_graphql::http::{MultipartOptions, parse_query_string, receive_body};
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationType};
use async_graphql::{Data, Executor, Request, Response, Variables};
use async_graphql_axum::{GraphQLProtocol, GraphQLWebSocket};
use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts as _, RawQuery, State, WebSocketUpgrade};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response as HttpResponse};
use axum::routing::get;
use futures_util::TryStreamExt as _;
use keroxio_core::{App, Authentication, Error, ErrorCode, GqlError};
use keroxio_schema::check_document;
use serde_json::Value;
use tokio_util::compat::TokioAsyncReadCompatExt as _;
use tokio_util::io::StreamReader;

/// Largest JSON body, in bytes.
const MAX_JSON: usize = 1 << 20;
/// Largest file of a multipart request, in bytes; a little above the photo limit, which has its own error.
const MAX_FILE: usize = 26 << 20;
const MAX_FILES: usize = 20;
const TIMEOUT: Duration = Duration::from_secs(60);
/// What the library puts in place of an uploaded file; a client may not write it itself.
const UPLOAD_MARKER: &str = "#__graphql_file__:";

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
    let RawQuery(query) = RawQuery(parts.uri.query().map(str::to_owned));
    match parse_query_string(query.as_deref().unwrap_or_default()) {
        Ok(request) => answer(&app, &schema, &parts.headers, request, true).await,
        Err(_) => refuse(StatusCode::BAD_REQUEST, bad_request()),
    }
}

async fn post_graphql(app: App, schema: impl Executor, request: axum::extract::Request) -> HttpResponse {
    let (parts, body) = request.into_parts();
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let request = match essence.as_str() {
        "application/json" => read_json(body).await,
        // A form can send multipart from any site without asking first; these headers cannot be forged there.
        "multipart/form-data" if has_preflight_header(&parts.headers) => read_multipart(content_type, body).await,
        "multipart/form-data" => Err((StatusCode::FORBIDDEN, preflight_required())),
        _ => Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, bad_request())),
    };
    match request {
        Ok(request) => answer(&app, &schema, &parts.headers, request, false).await,
        Err((status, error)) => refuse(status, error),
    }
}

type Refusal = (StatusCode, Error);

async fn read_json(body: Body) -> Result<Request, Refusal> {
    let bytes = axum::body::to_bytes(body, MAX_JSON).await.map_err(|_| (StatusCode::PAYLOAD_TOO_LARGE, too_large()))?;
    let request: Request = serde_json::from_slice(&bytes).map_err(|_| (StatusCode::BAD_REQUEST, bad_request()))?;
    if forges_upload(&request.variables) {
        return Err((StatusCode::BAD_REQUEST, bad_request()));
    }
    Ok(request)
}

fn forges_upload(variables: &Variables) -> bool {
    fn search(value: &Value) -> bool {
        match value {
            Value::String(text) => text.starts_with(UPLOAD_MARKER),
            Value::Array(items) => items.iter().any(search),
            Value::Object(fields) => fields.values().any(search),
            _ => false,
        }
    }
    serde_json::to_value(variables).is_ok_and(|value| search(&value))
}

async fn read_multipart(content_type: &str, body: Body) -> Result<Request, Refusal> {
    let reader = StreamReader::new(body.into_data_stream().map_err(std::io::Error::other));
    let options = MultipartOptions::default().max_file_size(MAX_FILE).max_num_files(MAX_FILES);
    receive_body(Some(content_type), reader.compat(), options).await.map_err(|e| match e {
        async_graphql::ParseRequestError::PayloadTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, too_large()),
        _ => (StatusCode::BAD_REQUEST, bad_request()),
    })
}

fn has_preflight_header(headers: &HeaderMap) -> bool {
    ["authorization", "x-requested-with", "apollo-require-preflight"].iter().any(|name| headers.contains_key(*name))
}

async fn answer(
    app: &App,
    schema: &impl Executor,
    headers: &HeaderMap,
    request: Request,
    read_only: bool,
) -> HttpResponse {
    let started = Instant::now();
    let document = match async_graphql::parser::parse_query(&request.query) {
        Ok(document) => document,
        Err(e) => {
            let error = async_graphql::ServerError::new(e.to_string(), None);
            return respond(headers, Response::from_errors(vec![error]), true);
        }
    };
    if let Err(error) = check_document(&document) {
        return refuse(StatusCode::BAD_REQUEST, error);
    }
    if read_only && !only_queries(&document) {
        return refuse(StatusCode::METHOD_NOT_ALLOWED, post_required());
    }
    let actor = authenticate(app, headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok())).await;
    let mut request = request.data(actor);
    request.set_parsed_query(document);
    let response = match tokio::time::timeout(TIMEOUT, schema.execute(request)).await {
        Ok(response) => response,
        Err(_) => return refuse(StatusCode::GATEWAY_TIMEOUT, timed_out()),
    };
    let outcome = if response.errors.is_empty() { "ok" } else { "error" };
    metrics::histogram!(keroxio_core::metrics::REQUEST_SECONDS, "kind" => "http", "outcome" => outcome)
        .record(started.elapsed().as_secs_f64());
    respond(headers, response, false)
}

fn only_queries(document: &ExecutableDocument) -> bool {
    let is_query = |ty: OperationType| ty == OperationType::Query;
    match &document.operations {
        DocumentOperations::Single(operation) => is_query(operation.node.ty),
        DocumentOperations::Multiple(operations) => operations.values().all(|o| is_query(o.node.ty)),
    }
}

/// `Bearer` is optional in front of the token, as clients differ.
async fn authenticate(app: &App, authorization: Option<&str>) -> Authentication {
    let Some(value) = authorization else { return Ok(None) };
    let token = value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer ")).unwrap_or(value);
    keroxio_auth::service::authenticate(app, token.trim()).map(Some)
}

async fn upgrade(app: App, schema: impl Executor, parts: &mut Parts) -> HttpResponse {
    let (protocol, socket) = match (
        GraphQLProtocol::from_request_parts(parts, &()).await,
        WebSocketUpgrade::from_request_parts(parts, &()).await,
    ) {
        (Ok(protocol), Ok(socket)) => (protocol, socket),
        _ => return refuse(StatusCode::BAD_REQUEST, bad_request()),
    };
    let from_header = parts.headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).map(str::to_owned);
    socket
        // tungstenite reserves 128 KiB a socket otherwise.
        .read_buffer_size(4_096)
        .write_buffer_size(4_096)
        .max_message_size(MAX_JSON)
        .protocols(["graphql-transport-ws"])
        .on_upgrade(move |stream| {
            GraphQLWebSocket::new(stream, schema, protocol)
                .on_connection_init(move |payload: Value| async move {
                    let from_payload = ["authorization", "Authorization"]
                        .iter()
                        .find_map(|name| payload.get(name).and_then(Value::as_str).map(str::to_owned));
                    let actor = authenticate(&app, from_payload.or(from_header).as_deref()).await;
                    let mut data = Data::default();
                    data.insert(actor);
                    Ok(data)
                })
                .keepalive_timeout(Duration::from_secs(60))
                .serve()
        })
}

fn respond(headers: &HeaderMap, response: Response, invalid: bool) -> HttpResponse {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let modern = accept.contains("application/graphql-response+json");
    let media =
        if modern { "application/graphql-response+json; charset=utf-8" } else { "application/json; charset=utf-8" };
    // The older media type reports every GraphQL error with 200.
    let status = if invalid && modern { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let body = serde_json::to_vec(&response).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, media)], body).into_response()
}

/// A request that never reaches the schema still gets a GraphQL error with its code.
fn refuse(status: StatusCode, error: Error) -> HttpResponse {
    let error = async_graphql::Error::from(GqlError::from(error)).into_server_error(async_graphql::Pos::default());
    let body = serde_json::to_vec(&Response::from_errors(vec![error])).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}

fn bad_request() -> Error {
    Error::bad_input(
        "La requête n'est pas une requête GraphQL valide : envoyez du JSON {query, variables} ou un envoi multipart conforme.",
        "This is not a valid GraphQL request: send JSON {query, variables} or a conforming multipart request.",
    )
}

fn too_large() -> Error {
    Error::new(
        ErrorCode("PAYLOAD_TOO_LARGE"),
        "La requête est trop grande : 1 Mio de JSON, 26 Mio par fichier, 20 fichiers au plus.",
        "The request is too large: at most 1 MiB of JSON, 26 MiB a file, 20 files.",
    )
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

fn timed_out() -> Error {
    Error::new(
        ErrorCode::UNAVAILABLE,
        "La requête a dépassé le temps accordé. Réessayez avec moins de champs.",
        "The request took longer than allowed. Try again with fewer fields.",
    )
}
