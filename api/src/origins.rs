//! Whose pages may read what we answer, and what browsers are told of our own.

use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, header};
use keroxio_core::Env;
use tower_http::cors::CorsLayer;
use tower_http::set_header::SetResponseHeaderLayer;

/// The origins that `KEROXIO_CORS_ORIGINS` lists, separated by commas; none by default.
#[derive(Clone, Default)]
pub struct Origins(Vec<HeaderValue>);

impl Origins {
    pub fn read(env: &Env) -> Self {
        let listed = env.optional("KEROXIO_CORS_ORIGINS").unwrap_or_default();
        let listed = listed.split(',').map(str::trim).filter(|origin| !origin.is_empty());
        let mut origins = Vec::new();
        for origin in listed {
            let is_origin = origin.starts_with("https://") || origin.starts_with("http://");
            let bare = origin.matches('/').count() == 2;
            match HeaderValue::from_str(origin) {
                Ok(value) if is_origin && bare => origins.push(value),
                _ => env
                    .problem(format!("KEROXIO_CORS_ORIGINS: {origin:?} is no origin such as https://app.example.org")),
            }
        }
        Self(origins)
    }

    fn layer(self) -> CorsLayer {
        CorsLayer::new()
            .allow_origin(self.0)
            .allow_methods([Method::GET, Method::POST])
            .allow_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                header::ACCEPT,
                HeaderName::from_static("idempotency-key"),
                HeaderName::from_static("x-requested-with"),
                HeaderName::from_static("apollo-require-preflight"),
                HeaderName::from_static("graphql-require-preflight"),
            ])
            .expose_headers([header::RETRY_AFTER, HeaderName::from_static("idempotency-replayed")])
            .max_age(Duration::from_secs(3_600))
    }
}

/// Nothing of ours is framed, guessed at, or sent on as a referrer; a page of ours says itself what it may load.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
];

pub fn guarded<S: Clone + Send + Sync + 'static>(router: Router<S>, origins: Origins) -> Router<S> {
    let router = router.layer(origins.layer());
    HEADERS.into_iter().fold(router, |router, (name, value)| {
        router.layer(SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value)))
    })
}
