//! Documents that are known by their hash: those clients registered by themselves (automatic persisted queries), and
//! those of a list beside which nothing else is answered.

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::StatusCode;
use fred::prelude::{KeysInterface as _, SortedSetsInterface as _};
use fred::types::Expiration;
use keroxio_core::{App, Env, Error, ErrorCode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::door::Pass;
use super::request::{Refusal, bad_request};

/// How long a document that nobody asks for is kept, in seconds.
const KEPT: i64 = 7 * 24 * 3_600;
/// Longest document that is kept, in bytes.
const LONGEST: usize = 10_000;
/// Documents that are kept at most; of more, those that nobody has asked for the longest go.
const MOST: i64 = 5_000;

/// The list of `KEROXIO_QUERIES`, where it names a file.
#[derive(Clone, Default)]
pub struct Documents(Option<Arc<HashMap<String, String>>>);

impl Documents {
    /// A JSON file: documents by their SHA-256, or a manifest as Apollo's tools write it.
    pub fn read(env: &Env) -> Self {
        let Some(path) = env.optional("KEROXIO_QUERIES") else { return Self::default() };
        let text = std::fs::read_to_string(&path).map_err(|e| e.to_string());
        match text.and_then(|text| listed(&text)) {
            Ok(list) => Self(Some(Arc::new(list))),
            Err(e) => {
                env.problem(format!("KEROXIO_QUERIES: {path}: {e}"));
                Self::default()
            }
        }
    }

    /// Whether a document is answered.
    ///
    /// # Errors
    /// `DOCUMENT_NOT_LISTED` for one beside the list.
    pub fn check(&self, query: &str) -> Result<(), Error> {
        match &self.0 {
            Some(list) if !list.contains_key(&hash(query)) => Err(not_listed()),
            _ => Ok(()),
        }
    }
}

/// The documents of a list, by the hash of their text.
fn listed(text: &str) -> Result<HashMap<String, String>, String> {
    let list: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let texts: Vec<&str> = match list["operations"].as_array() {
        Some(operations) => operations.iter().filter_map(|operation| operation["body"].as_str()).collect(),
        None => list.as_object().into_iter().flat_map(|map| map.values()).filter_map(Value::as_str).collect(),
    };
    if texts.is_empty() {
        return Err("no document in it".to_owned());
    }
    Ok(texts.into_iter().map(|text| (hash(text), text.to_owned())).collect())
}

fn hash(query: &str) -> String {
    Sha256::digest(query).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Puts the document in a request that names only its hash; keeps one that comes with its hash.
///
/// # Errors
/// `PERSISTED_QUERY_NOT_FOUND`: the client sends the text along, as its protocol says. `BAD_INPUT` for a hash that is not
/// the text's.
pub async fn complete(app: &App, pass: &Pass, is_known: bool, request: &mut Value) -> Result<(), Refusal> {
    let Some(given) = request.pointer("/extensions/persistedQuery/sha256Hash").cloned() else { return Ok(()) };
    let given = given.as_str().filter(|given| given.len() == 64).ok_or((StatusCode::BAD_REQUEST, bad_request()))?;
    let documents = app.get::<Documents>().unwrap_or_default();
    let Some(text) = request.get("query").and_then(Value::as_str) else {
        let known = match &documents.0 {
            Some(list) => list.get(given).cloned(),
            None => look_up(app, given).await,
        };
        // Clients look for this sentence, with this status.
        let text = known.ok_or_else(|| (StatusCode::OK, not_found()))?;
        request["query"] = Value::String(text);
        return Ok(());
    };
    if hash(text) != given {
        return Err((StatusCode::BAD_REQUEST, wrong_hash()));
    }
    // Each takes room of everybody's for a week: those of strangers are answered, and sent again each time.
    if documents.0.is_none() && is_known && text.len() <= LONGEST && keroxio_schema::read(text).is_ok() {
        pass.keep();
        keep(app, given, text).await;
    }
    Ok(())
}

fn key(app: &App, hash: &str) -> String {
    app.redis().key(&format!("document:{hash}"))
}

/// While Redis is away, every document has to be sent along.
async fn look_up(app: &App, hash: &str) -> Option<String> {
    let redis = app.redis().commands();
    let found = redis.get::<Option<String>, _>(key(app, hash)).await.unwrap_or_default()?;
    let _ = tokio::join!(
        redis.expire::<(), _>(key(app, hash), KEPT, None),
        redis.zadd::<(), _, _>(index(app), None, None, false, false, asked(app, hash)),
    );
    Some(found)
}

/// All that are kept, by when they were last asked for.
fn index(app: &App) -> String {
    app.redis().key("documents")
}

fn asked(app: &App, hash: &str) -> (f64, String) {
    (app.now().timestamp() as f64, hash.to_owned())
}

async fn keep(app: &App, hash: &str, text: &str) {
    let kept = async {
        let redis = app.redis().commands();
        redis.zadd::<(), _, _>(index(app), None, None, false, false, asked(app, hash)).await?;
        redis.set::<(), _, _>(key(app, hash), text, Some(Expiration::EX(KEPT)), None, false).await?;
        let too_many = redis.zcard::<i64, _>(index(app)).await? - MOST;
        if too_many > 0 {
            let oldest: Vec<String> = redis.zrange(index(app), 0, too_many - 1, None, false, None, false).await?;
            // One by one: on a cluster they are on different servers.
            for hash in &oldest {
                redis.del::<(), _>(key(app, hash)).await?;
            }
            redis.zrem::<(), _, _>(index(app), oldest).await?;
        }
        Ok::<_, fred::error::Error>(())
    };
    if let Err(e) = kept.await {
        tracing::warn!("a persisted query was not kept: {e}");
    }
}

fn not_found() -> Error {
    Error::new(ErrorCode("PERSISTED_QUERY_NOT_FOUND"), "PersistedQueryNotFound", "PersistedQueryNotFound")
}

fn wrong_hash() -> Error {
    Error::bad_input(
        "sha256Hash n'est pas celui de query : calculez-le sur le texte envoyé.",
        "sha256Hash is not that of query: compute it of the text that is sent.",
    )
}

fn not_listed() -> Error {
    Error::new(
        ErrorCode("DOCUMENT_NOT_LISTED"),
        "Cette installation ne répond qu'aux requêtes de sa liste : faites-y ajouter la vôtre.",
        "This installation answers the documents of its list only: have yours added.",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_list_is_read_however_it_was_written() {
        let plain = listed(r#"{"anything": "{ viewer { id } }"}"#).unwrap();
        let apollo = listed(
            r#"{"format":"apollo-persisted-query-manifest","operations":[{"id":"x","body":"{ viewer { id } }"}]}"#,
        );
        assert_eq!(plain, apollo.unwrap());
        assert!(plain.contains_key(&hash("{ viewer { id } }")));
        assert!(listed("{}").is_err() && listed("[").is_err());
    }
}
