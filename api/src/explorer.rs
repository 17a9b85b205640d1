//! A page to try the API with; it needs nothing from elsewhere.

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use keroxio_core::App;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

pub fn routes() -> Router<App> {
    let html = || file("text/html; charset=utf-8", include_str!("../web/explorer.html"));
    let script = || file("text/javascript; charset=utf-8", include_str!("../web/explorer.js"));
    let style = || file("text/css; charset=utf-8", include_str!("../web/explorer.css"));
    Router::new()
        .route("/explorer", get(move || std::future::ready(html())))
        .route("/explorer.js", get(move || std::future::ready(script())))
        .route("/explorer.css", get(move || std::future::ready(style())))
}

fn file(media_type: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, media_type), (header::CONTENT_SECURITY_POLICY, POLICY)], text).into_response()
}
