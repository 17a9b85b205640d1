//! From bytes to a request, strictly: what is not a GraphQL request is said to be none.

use std::collections::HashMap;
use std::time::Duration;

use async_graphql::Request;
use axum::body::{Body, HttpBody as _};
use axum::extract::Query;
use axum::http::{StatusCode, Uri};
use keroxio_core::{App, Error, ErrorCode};
use keroxio_schema::UPLOAD_MARKER;
use serde_json::{Value, json};

use super::{Caller, MAX_JSON, documents};

/// Largest JSON body of somebody who is not signed in, in bytes.
const MAX_STRANGER: usize = 256 << 10;
/// Values of a JSON body.
const MAX_VALUES: usize = 20_000;
/// Time for a JSON body to arrive.
const ARRIVAL: Duration = Duration::from_secs(30);

pub type Refusal = (StatusCode, Error);

pub async fn from_json(app: &App, caller: &Caller, body: Body) -> Result<Request, Refusal> {
    let most = if caller.is_known() { MAX_JSON } else { MAX_STRANGER };
    let too_large = || (StatusCode::PAYLOAD_TOO_LARGE, too_large());
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    let read = tokio::time::timeout(ARRIVAL, axum::body::to_bytes(body, most)).await;
    let bytes = read.map_err(|_| (StatusCode::REQUEST_TIMEOUT, too_slow()))?.map_err(|_| too_large())?;
    caller.pass.read(bytes.len());
    if has_too_many_values(&bytes) {
        return Err((StatusCode::BAD_REQUEST, too_many_values()));
    }
    let mut value = serde_json::from_slice(&bytes).map_err(|_| (StatusCode::BAD_REQUEST, bad_request()))?;
    drop(bytes);
    documents::complete(app, &mut value).await?;
    from_value(value).map_err(|error| (StatusCode::BAD_REQUEST, error))
}

/// Whether a JSON text holds more values than anybody has to send. Each takes a hundred times its byte once it is read.
pub fn has_too_many_values(text: &[u8]) -> bool {
    let (mut is_text, mut is_escaped, mut values) = (false, false, 0_usize);
    for byte in text {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b',' | b'[' | b'{' if !is_text => values += 1,
            _ => {}
        }
    }
    values > MAX_VALUES
}

pub fn too_many_values() -> Error {
    Error::new(
        ErrorCode::QUERY_TOO_COMPLEX,
        format!("Les variables comptent plus de {MAX_VALUES} valeurs : envoyez-les en plusieurs fois."),
        format!("The variables hold more than {MAX_VALUES} values: send them in several requests."),
    )
}

/// A request in an address: `query`, `operationName`, and `variables` and `extensions` as JSON.
pub async fn from_query(app: &App, uri: &Uri) -> Result<Request, Refusal> {
    let bad = || (StatusCode::BAD_REQUEST, bad_request());
    let Query(mut parts) = Query::<HashMap<String, String>>::try_from_uri(uri).map_err(|_| bad())?;
    let mut json = |name: &str| match parts.remove(name) {
        Some(text) => serde_json::from_str(&text).map_err(|_| bad()),
        None => Ok(Value::Null),
    };
    let (variables, extensions) = (json("variables")?, json("extensions")?);
    let (query, name) = (parts.remove("query"), parts.remove("operationName").filter(|name| !name.is_empty()));
    let mut value = json!({ "query": query, "operationName": name, "variables": variables, "extensions": extensions });
    documents::complete(app, &mut value).await?;
    from_value(value).map_err(|error| (StatusCode::BAD_REQUEST, error))
}

/// Whether every part of a request is of its kind.
pub fn is_well_formed(value: &Value) -> bool {
    let Value::Object(parts) = value else { return false };
    let is_text = parts.get("query").is_some_and(Value::is_string);
    let name = parts.get("operationName").is_none_or(|name| name.is_null() || name.is_string());
    let map = |part: &str| parts.get(part).is_none_or(|map| map.is_null() || map.is_object());
    is_text && name && map("variables") && map("extensions")
}

/// A request from its JSON, as every transport carries it.
///
/// # Errors
/// `BAD_INPUT` where a part is of the wrong kind, or a text pretends to be an uploaded file.
pub fn from_value(value: Value) -> Result<Request, Error> {
    if !is_well_formed(&value) || value.get("variables").is_some_and(is_marked) {
        return Err(bad_request());
    }
    let Value::Object(parts) = value else { return Err(bad_request()) };
    let present: Value = parts.into_iter().filter(|(_, part)| !part.is_null()).collect();
    serde_json::from_value(present).map_err(|_| bad_request())
}

/// Whether a text anywhere in a value is what the library puts in place of an uploaded file.
fn is_marked(value: &Value) -> bool {
    match value {
        Value::String(text) => text.starts_with(UPLOAD_MARKER),
        Value::Array(items) => items.iter().any(is_marked),
        Value::Object(fields) => fields.values().any(is_marked),
        _ => false,
    }
}

pub fn bad_request() -> Error {
    Error::bad_input(
        "La requête n'est pas une requête GraphQL valide : envoyez du JSON {query, variables} ou un envoi multipart conforme.",
        "This is not a valid GraphQL request: send JSON {query, variables} or a conforming multipart request.",
    )
}

pub fn too_large() -> Error {
    Error::new(
        ErrorCode("PAYLOAD_TOO_LARGE"),
        "La requête est trop grande : 1 Mio de JSON (256 Kio sans compte), 26 Mio par fichier, 20 fichiers au plus.",
        "The request is too large: at most 1 MiB of JSON (256 KiB without an account), 26 MiB a file, 20 files.",
    )
}

pub fn too_slow() -> Error {
    Error::new(
        ErrorCode("REQUEST_TIMEOUT"),
        "L'envoi n'avance plus. Vérifiez la connexion et recommencez.",
        "Nothing more of the request arrives. Check the connection and try again.",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn values_are_counted_outside_of_texts() {
        let list = |item: &str| format!("[{}]", vec![item; MAX_VALUES].join(","));
        assert!(has_too_many_values(list("1").as_bytes()) && has_too_many_values(list("\"\\\\\"").as_bytes()));
        assert!(!has_too_many_values(
            json!([",[{".repeat(MAX_VALUES), "\",".repeat(MAX_VALUES)]).to_string().as_bytes()
        ));
    }

    #[test]
    fn every_part_is_of_its_kind() {
        let good = json!({ "query": "{ a }", "variables": null, "operationName": null, "extensions": {}, "id": 4 });
        assert_eq!(from_value(good).unwrap().query, "{ a }");
        for wrong in [
            json!([]),
            json!("{ a }"),
            json!({}),
            json!({ "query": null }),
            json!({ "query": 4 }),
            json!({ "query": "{ a }", "variables": [] }),
            json!({ "query": "{ a }", "variables": "{}" }),
            json!({ "query": "{ a }", "operationName": 1 }),
            json!({ "query": "{ a }", "extensions": "x" }),
            json!({ "query": "{ a }", "variables": { "f": [{ "g": "#__graphql_file__:0" }] } }),
        ] {
            assert_eq!(from_value(wrong.clone()).unwrap_err().code(), ErrorCode::BAD_INPUT, "{wrong}");
        }
    }
}
