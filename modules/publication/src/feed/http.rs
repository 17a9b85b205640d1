use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use keroxio_core::{App, Result};

use super::{FeedFormat, model};

pub fn routes() -> Router<App> {
    Router::new().route("/feeds/{key}", get(show))
}

/// The last good file of a feed; nothing before there was one.
async fn show(State(app): State<App>, Path(key): Path<String>) -> Response {
    match file(&app, &key).await {
        Ok(Some((media_type, bytes))) => {
            let headers = [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "private, max-age=300")];
            (headers, bytes).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(e) => {
            tracing::error!("a feed cannot be shown: {e:?}");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

async fn file(app: &App, name: &str) -> Result<Option<(&'static str, Vec<u8>)>> {
    let Some((key, extension)) = name.split_once('.') else { return Ok(None) };
    let feed = model::by_key(&mut *app.conn().await?, key).await?;
    let Some(feed) = feed.filter(|feed| feed.format == extension) else { return Ok(None) };
    let seller = keroxio_auth::service::organization(app, feed.org_id).await?;
    if seller.suspended_at.is_some() {
        return Ok(None);
    }
    let Some(object) = feed.object_id else { return Ok(None) };
    let object = keroxio_storage::service::get(app, feed.org_id, object).await?;
    let bytes = keroxio_storage::service::read(app, &object).await?;
    Ok(Some((FeedFormat::stored(&feed.format).media_type(), bytes)))
}
