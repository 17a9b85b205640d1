//! A picture of the plate alone, upright, with a little of what is around it.

use keroxio_core::{App, Error, Result};
use keroxio_plugin_sdk::geometry::{Perspective, size};
use keroxio_plugin_sdk::{Photo, Quad};
use uuid::Uuid;

/// Width in pixels.
const WIDTH: u32 = 480;
/// Around the plate, as shares of its width and height.
const MARGIN: (f32, f32) = (0.06, 0.2);

/// Cuts the plate out and stores it; none for corners that enclose nothing.
pub async fn store(app: &App, org: Uuid, photo: &Photo, quad: &Quad) -> Result<Option<Uuid>> {
    let (photo, quad) = (photo.clone(), *quad);
    let cut = tokio::task::spawn_blocking(move || cut(&photo, &quad)).await.map_err(Error::internal)?;
    let Some((jpeg, size)) = cut.transpose()? else { return Ok(None) };
    Ok(Some(keroxio_storage::service::put(app, org, jpeg, "image/jpeg", Some(size)).await?.id))
}

fn cut(photo: &Photo, quad: &Quad) -> Option<Result<(Vec<u8>, (u32, u32))>> {
    let (width, height) = size(quad);
    let high = WIDTH as f32 * height * (1.0 + 2.0 * MARGIN.1) / (width * (1.0 + 2.0 * MARGIN.0)).max(1.0);
    let pixels = (WIDTH, (high.round() as u32).clamp(48, WIDTH));
    let crop = Photo::from_rgb(Perspective::of(quad)?.cut(photo.rgb(), pixels, MARGIN));
    Some(keroxio_storage::service::encode(&crop).map(|jpeg| (jpeg, pixels)))
}
