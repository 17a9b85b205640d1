//! Requests with files, by the GraphQL multipart request specification: `operations`, `map`, then the files.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use async_graphql::{Request, UploadValue};
use axum::body::{Body, BodyDataStream};
use axum::http::StatusCode;
use futures_util::StreamExt as _;
use keroxio_core::Error;
use multer::{Constraints, Field, Multipart, SizeLimit};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Semaphore;

use super::Caller;
use super::MAX_JSON;
use super::request::{
    Refusal, bad_request, drain, from_value, has_too_many_values, too_large, too_many_values, too_slow,
};

/// Largest file, in bytes; a little above the photo limit, which has its own error.
const MAX_FILE: u64 = 26 << 20;
const MAX_FILES: usize = 20;
/// Largest map, in bytes.
const MAX_MAP: u64 = 16 << 10;
/// Largest request, in bytes.
const MAX_ALL: u64 = MAX_FILE * 6;
const MAX_STRANGER: u64 = 1 << 20;
/// Time for the next piece to arrive.
const ARRIVAL: Duration = Duration::from_secs(30);

/// Time for all of a request.
const WHOLE: Duration = Duration::from_secs(600);
const WHOLE_STRANGER: Duration = Duration::from_secs(30);
/// Requests with files that are taken at once; strangers keep nobody else out.
static TURNS: Semaphore = Semaphore::const_new(64);
static STRANGERS: Semaphore = Semaphore::const_new(8);

/// Nobody without an account fills our disk: of them so much is taken as a mistake would be.
pub async fn request(content_type: &str, body: Body, caller: &Caller) -> Result<Request, Refusal> {
    let is_signed_in = caller.is_known();
    let busy = || (StatusCode::SERVICE_UNAVAILABLE, Error::unavailable(anyhow::anyhow!("too many uploads at once")));
    let (turns, most, time) =
        if is_signed_in { (&TURNS, MAX_ALL, WHOLE) } else { (&STRANGERS, MAX_STRANGER, WHOLE_STRANGER) };
    let turn = turns.try_acquire().map_err(|_| busy())?;
    let mut body = body.into_data_stream();
    let taken = tokio::time::timeout(time, take(content_type, &mut body, most, caller)).await;
    drop(turn);
    match taken.unwrap_or_else(|_| Err((StatusCode::REQUEST_TIMEOUT, too_slow()))) {
        Err((StatusCode::PAYLOAD_TOO_LARGE, error)) => {
            // Its client is still writing, and would see nothing but a closed connection.
            caller.pass.read(MAX_JSON);
            drain(body).await;
            let refused = (StatusCode::PAYLOAD_TOO_LARGE, error);
            Err(if is_signed_in { refused } else { (StatusCode::UNAUTHORIZED, Error::unauthenticated()) })
        }
        taken => taken,
    }
}

async fn take(content_type: &str, body: &mut BodyDataStream, most: u64, caller: &Caller) -> Result<Request, Refusal> {
    let boundary = multer::parse_boundary(content_type).map_err(|_| bad("boundary"))?;
    let limits = SizeLimit::new().whole_stream(most).per_field(MAX_FILE);
    let limits = limits.for_field("operations", MAX_JSON as u64).for_field("map", MAX_MAP);
    let pieces = tokio_stream::StreamExt::timeout(body, ARRIVAL);
    let pieces = pieces.map(|piece| match piece {
        Ok(piece) => piece.map_err(std::io::Error::other),
        Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut)),
    });
    let mut parts = Multipart::with_constraints(pieces, boundary, Constraints::new().size_limit(limits));
    let operations = text(&mut parts, "operations").await?;
    caller.pass.read(operations.len());
    if has_too_many_values(operations.as_bytes()) {
        return Err((StatusCode::BAD_REQUEST, too_many_values()));
    }
    let operations: Value = serde_json::from_str(&operations).map_err(|_| bad("operations"))?;
    let map = text(&mut parts, "map").await?;
    let mut map = map_of(&map, &operations)?;
    let mut request = from_value(operations).map_err(|error| (StatusCode::BAD_REQUEST, error))?;
    while let Some(field) = parts.next_field().await.map_err(broken)? {
        let paths =
            field.name().and_then(|name| map.remove(name)).ok_or_else(|| bad("a file that map does not name"))?;
        attach(&mut request, field, &paths).await?;
    }
    if map.is_empty() { Ok(request) } else { Err(bad("a file of map is missing")) }
}

/// The next part, which has to have this name.
async fn text(parts: &mut Multipart<'_>, name: &str) -> Result<String, Refusal> {
    let field = parts.next_field().await.map_err(broken)?;
    let field = field.filter(|field| field.name() == Some(name)).ok_or_else(|| bad(name))?;
    let bytes = field.bytes().await.map_err(broken)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| bad(name))
}

/// Places of files by the names of their parts. A place is a variable that is null, and is filled once.
fn map_of(text: &str, operations: &Value) -> Result<HashMap<String, Vec<String>>, Refusal> {
    let map: HashMap<String, Vec<String>> = serde_json::from_str(text).map_err(|_| bad("map"))?;
    let mut seen = HashSet::new();
    for path in map.values().flatten() {
        let steps = path.strip_prefix("variables.").ok_or_else(|| bad("a path of map"))?;
        let pointer = format!("/variables/{}", steps.replace('~', "~0").replace('/', "~1").replace('.', "/"));
        if operations.pointer(&pointer) != Some(&Value::Null) || !seen.insert(path) {
            return Err(bad("a path of map that is no null variable"));
        }
    }
    if map.values().any(Vec::is_empty) {
        return Err(bad("a file of map without a path"));
    }
    if map.len() > MAX_FILES || seen.len() > MAX_FILES {
        return Err((StatusCode::PAYLOAD_TOO_LARGE, too_large()));
    }
    Ok(map)
}

/// Keeps a file on the disk while the request runs. Each place reads it from its beginning.
async fn attach(request: &mut Request, mut field: Field<'_>, paths: &[String]) -> Result<(), Refusal> {
    let filename = field.file_name().ok_or_else(|| bad("a file without a name"))?.to_owned();
    let content_type = field.content_type().map(ToString::to_string);
    let kept = tempfile::NamedTempFile::new().map_err(full)?;
    let places: Vec<_> = paths.iter().map(|_| kept.reopen()).collect::<Result<_, _>>().map_err(full)?;
    // Its name goes before a byte is in it: whatever happens to us, nothing stays behind.
    let mut file = tokio::fs::File::from_std(kept.into_file());
    while let Some(piece) = field.chunk().await.map_err(broken)? {
        file.write_all(&piece).await.map_err(full)?;
    }
    file.flush().await.map_err(full)?;
    for (path, content) in paths.iter().zip(places) {
        let (filename, content_type) = (filename.clone(), content_type.clone());
        request.set_upload(path, UploadValue { filename, content_type, content });
    }
    Ok(())
}

fn bad(what: &str) -> Refusal {
    let error = bad_request().with_detail("multipart", what);
    (StatusCode::BAD_REQUEST, error)
}

fn full(e: std::io::Error) -> Refusal {
    (StatusCode::SERVICE_UNAVAILABLE, Error::unavailable(e))
}

fn broken(e: multer::Error) -> Refusal {
    match e {
        multer::Error::FieldSizeExceeded { .. } | multer::Error::StreamSizeExceeded { .. } => {
            (StatusCode::PAYLOAD_TOO_LARGE, too_large())
        }
        multer::Error::StreamReadFailed(e) => {
            let io = e.downcast_ref::<std::io::Error>();
            if io.is_some_and(|e| e.kind() == std::io::ErrorKind::TimedOut) {
                (StatusCode::REQUEST_TIMEOUT, too_slow())
            } else {
                bad("the request broke off")
            }
        }
        _ => bad("the parts"),
    }
}
