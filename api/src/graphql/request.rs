//! From bytes to a request, strictly: what is not a GraphQL request is said to be none.

use std::collections::HashMap;
use std::time::Duration;

use async_graphql::Request;
use axum::body::{Body, BodyDataStream, HttpBody as _};
use axum::extract::Query;
use axum::http::{StatusCode, Uri};
use futures_util::StreamExt as _;
use keroxio_core::{App, Error, ErrorCode};
use keroxio_schema::UPLOAD_MARKER;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Caller, MAX_JSON, documents, door};

/// Bytes of a body that is refused which are taken from the connection all the same. Otherwise the client would still be
/// writing when it is closed, and never see why.
const DRAINED: usize = 16 << 20;
/// Time for them.
const DRAINING: Duration = Duration::from_secs(5);
/// Values of a JSON body.
const MAX_VALUES: usize = 20_000;
/// Time for a JSON body to arrive.
const ARRIVAL: Duration = Duration::from_secs(30);

pub type Refusal = (StatusCode, Error);

pub async fn from_json(app: &App, caller: &Caller, body: Body) -> Result<Request, Refusal> {
    let size = body.size_hint().lower();
    let said = usize::try_from(size).unwrap_or(MAX_JSON).min(MAX_JSON);
    caller.pass.read(said);
    if size > MAX_JSON as u64 {
        drain(body.into_data_stream()).await;
        return Err((StatusCode::PAYLOAD_TOO_LARGE, too_large()));
    }
    let mut length = 0;
    let whole = whole(body.into_data_stream(), &mut length).await;
    // Who sends in pieces did not say how much it would be.
    caller.pass.read(length.saturating_sub(said));
    let bytes = whole?;
    let read = move || {
        if has_too_many_values(&bytes) { Err(too_many_values()) } else { parts_of(&bytes).ok_or_else(bad_request) }
    };
    let read = door::apart(caller.is_known(), length, read).await;
    let mut value = read.flatten().map_err(|error| (StatusCode::BAD_REQUEST, error))?;
    documents::complete(app, &caller.pass, caller.is_known(), &mut value).await?;
    from_value(value).map_err(|error| (StatusCode::BAD_REQUEST, error))
}

/// All of a body, and how many bytes of it came. What its client did not say is too large is found out while it arrives,
/// and then taken all the same.
async fn whole(mut pieces: BodyDataStream, came: &mut usize) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let read = async {
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|_| (StatusCode::BAD_REQUEST, bad_request()))?;
            *came += piece.len();
            if *came > MAX_JSON {
                return Ok(false);
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(true)
    };
    if tokio::time::timeout(ARRIVAL, read).await.map_err(|_| (StatusCode::REQUEST_TIMEOUT, too_slow()))?? {
        return Ok(bytes);
    }
    drop(bytes);
    drain(pieces).await;
    Err((StatusCode::PAYLOAD_TOO_LARGE, too_large()))
}

/// Takes what a client sends of a body that nobody reads, as far as that is worth it.
pub async fn drain(mut pieces: BodyDataStream) {
    let taken = async {
        let mut bytes = 0;
        while let Some(Ok(piece)) = pieces.next().await {
            bytes += piece.len();
            if bytes > DRAINED {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(DRAINING, taken).await;
}

/// The parts of a request. One that is written twice might be read differently by whoever stands before us: it is none.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Parts {
    query: Option<Value>,
    operation_name: Option<Value>,
    variables: Option<Value>,
    extensions: Option<Value>,
}

fn parts_of(text: &[u8]) -> Option<Value> {
    // A list would be taken for the parts in their order.
    let is_object = text.trim_ascii_start().starts_with(b"{");
    let parts: Parts = is_object.then(|| serde_json::from_slice(text).ok()).flatten()?;
    serde_json::to_value(parts).ok()
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
pub async fn from_query(app: &App, caller: &Caller, uri: &Uri) -> Result<Request, Refusal> {
    let bad = || (StatusCode::BAD_REQUEST, bad_request());
    let Query(mut parts) = Query::<HashMap<String, String>>::try_from_uri(uri).map_err(|_| bad())?;
    let mut json = |name: &str| match parts.remove(name) {
        Some(text) => serde_json::from_str(&text).map_err(|_| bad()),
        None => Ok(Value::Null),
    };
    let (variables, extensions) = (json("variables")?, json("extensions")?);
    let (query, name) = (parts.remove("query"), parts.remove("operationName").filter(|name| !name.is_empty()));
    let mut value = json!({ "query": query, "operationName": name, "variables": variables, "extensions": extensions });
    documents::complete(app, &caller.pass, caller.is_known(), &mut value).await?;
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
        "La requête est trop grande : 1 Mio de JSON, 26 Mio par fichier, 20 fichiers au plus.",
        "The request is too large: at most 1 MiB of JSON, 26 MiB a file, 20 files.",
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
        let list = |item: &str| format!("[{}]", vec![item; MAX_VALUES + 1].join(","));
        assert!(has_too_many_values(list("1").as_bytes()) && has_too_many_values(list("\"\\\\\"").as_bytes()));
        assert!(!has_too_many_values(
            json!([",[{".repeat(MAX_VALUES), "\",".repeat(MAX_VALUES)]).to_string().as_bytes()
        ));
    }

    #[test]
    fn a_part_written_twice_and_a_list_are_no_request() {
        let read = |text: &str| parts_of(text.as_bytes()).map(|parts| parts["query"].clone());
        assert_eq!(read(r#" {"query":"{a}","id":1,"id":2,"variables":{"b":1}}"#), Some(json!("{a}")));
        for wrong in [r#"{"query":"{a}","query":"{b}"}"#, r#"["{a}",null,null,null]"#, "", "4"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
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
