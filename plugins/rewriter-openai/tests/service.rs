//! Against a server of our own that answers as an OpenAI-compatible one does.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::post;
use keroxio_plugin_rewriter_openai::RewriterOpenai;
use keroxio_plugin_sdk::{Draft, RewriteError, TextRewriter as _};
use serde_json::{Value, json};

async fn serve(status: StatusCode, answer: String) -> String {
    let answer = move |headers: HeaderMap, body: String| async move {
        if headers.get("authorization").is_none_or(|key| key != "Bearer the-key") {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let asked: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&asked["model"], &asked["messages"][0]["role"]), (&json!("small"), &json!("system")));
        let data: Value = serde_json::from_str(asked["messages"][1]["content"].as_str().unwrap()).unwrap();
        assert_eq!((&data["text"], &data["keep"][0]), (&json!("À vendre."), &json!("Renault Clio")));
        (status, answer).into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/chat/completions", post(answer))).await });
    url
}

fn rewriter(url: &str, key: Option<&str>) -> RewriterOpenai {
    let _ = rustls::crypto::ring::default_provider().install_default();
    RewriterOpenai::new(url, "small", key).unwrap()
}

fn draft() -> Draft {
    Draft {
        language: "fr".to_owned(),
        tone: "friendly".to_owned(),
        body: "À vendre.".to_owned(),
        keep: vec!["Renault Clio".to_owned()],
        wrong: Vec::new(),
    }
}

fn saying(text: &Value) -> String {
    json!({ "id": "1", "choices": [{ "index": 0, "message": { "role": "assistant", "content": text } }] }).to_string()
}

#[tokio::test]
async fn the_text_is_what_the_model_answers() {
    let url = serve(StatusCode::OK, saying(&json!("  Voici la Clio.\n"))).await;
    assert_eq!(rewriter(&url, Some("the-key")).rewrite(&draft()).await.unwrap(), "Voici la Clio.");
    let without = rewriter(&url, None).rewrite(&draft()).await.unwrap_err();
    assert!(matches!(&without, RewriteError::Refused(why) if why.contains("401")), "{without}");
}

#[tokio::test]
async fn what_an_operator_must_mend_is_told_from_what_passes() {
    let huge = saying(&json!("x".repeat(100_000)));
    let cases = [
        (StatusCode::NOT_FOUND, String::new(), true),
        (StatusCode::BAD_REQUEST, String::new(), true),
        (StatusCode::TOO_MANY_REQUESTS, String::new(), false),
        (StatusCode::INTERNAL_SERVER_ERROR, String::new(), false),
        (StatusCode::FOUND, String::new(), false),
        (StatusCode::OK, "<html>".to_owned(), false),
        (StatusCode::OK, saying(&json!(null)), false),
        (StatusCode::OK, json!({ "choices": [] }).to_string(), false),
        (StatusCode::OK, huge, false),
    ];
    for (status, answer, lasting) in cases {
        let url = serve(status, answer.clone()).await;
        let error = rewriter(&url, Some("the-key")).rewrite(&draft()).await.unwrap_err();
        assert_eq!(matches!(error, RewriteError::Refused(_)), lasting, "{status} {answer:.40}: {error}");
    }
    assert!(RewriterOpenai::new("http://example.org/v1", "m", None).is_err(), "a key must not travel in the clear");
    assert!(RewriterOpenai::new("nowhere", "m", None).is_err());
}
