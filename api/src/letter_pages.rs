//! Pages that links in letters lead to, for installations whose front end (`KEROXIO_APP_URL`) has none of its own.

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use keroxio_core::App;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; \
    base-uri 'none'; frame-ancestors 'none'";
/// As letters name them.
const PATHS: [&str; 4] = ["/verify-email", "/reset-password", "/claim", "/invitation"];

pub fn routes() -> Router<App> {
    let html = || file("text/html; charset=utf-8", include_str!("../web/letter.html"));
    let script = || file("text/javascript; charset=utf-8", include_str!("../web/letter.js"));
    let style = || file("text/css; charset=utf-8", include_str!("../web/letter.css"));
    let mut router = Router::new()
        .route("/letter.js", get(move || std::future::ready(script())))
        .route("/letter.css", get(move || std::future::ready(style())));
    for path in PATHS {
        router = router.route(path, get(move || std::future::ready(html())));
    }
    router
}

fn file(media_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}
