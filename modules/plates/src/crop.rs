//! A picture of the plate alone, upright, with a little of what is around it; made when it is asked for and kept
//! nowhere, because it is personal data.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keroxio_core::{App, Error, Result};
use keroxio_plugin_sdk::geometry::{Perspective, size};
use keroxio_plugin_sdk::{Photo, Quad};
use uuid::Uuid;

/// Width in pixels.
const WIDTH: u32 = 480;
/// Around the plate, as shares of its width and height.
const MARGIN: (f32, f32) = (0.06, 0.2);

/// The plate at these corners of a photo, as a `data:` address; none for corners that enclose nothing.
pub async fn data_url(app: &App, org: Uuid, photo_id: Uuid, quad: Quad) -> Result<Option<String>> {
    let photo = keroxio_storage::service::photo(app, org, photo_id).await?;
    let cut =
        tokio::task::spawn_blocking(move || cut(&photo, &quad).map(|crop| keroxio_storage::service::encode(&crop)));
    let jpeg = cut.await.map_err(Error::internal)?.transpose()?;
    Ok(jpeg.map(|jpeg| format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg))))
}

fn cut(photo: &Photo, quad: &Quad) -> Option<Photo> {
    let (width, height) = size(quad);
    let high = WIDTH as f32 * height * (1.0 + 2.0 * MARGIN.1) / (width * (1.0 + 2.0 * MARGIN.0)).max(1.0);
    let pixels = (WIDTH, (high.round() as u32).clamp(48, WIDTH));
    Some(Photo::from_rgb(Perspective::of(quad)?.cut(photo.rgb(), pixels, MARGIN)))
}
