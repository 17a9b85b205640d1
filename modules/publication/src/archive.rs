//! The photos of an ad in one file, numbered as the portals' forms take them.

use std::io::{Cursor, Write as _};

use keroxio_core::{Actor, App, Error, Result, Right};
use keroxio_listing::service as listings;
use uuid::Uuid;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::error;

/// A file of photos.
pub struct Archive {
    /// Private address, good for an hour.
    pub url: String,
    pub photos: usize,
}

/// Puts the finished photos of a listing into one file, in the seller's order: `01.jpg`, `02.jpg`, ...
///
/// # Errors
/// `NOT_PUBLISHABLE` while no photo is ready.
pub(crate) async fn make(app: &App, actor: &Actor, listing: Uuid) -> Result<Archive> {
    actor.may(Right::Read)?;
    listings::get(app, actor.org_id, listing).await?;
    let photos = listings::photos(app, listing).await?;
    let shown = keroxio_images::shown_files(app, actor.org_id, &photos).await?;
    if shown.is_empty() {
        return Err(error::no_picture());
    }
    let mut pictures = Vec::with_capacity(shown.len());
    for object in &shown {
        pictures.push(keroxio_storage::service::read(app, object).await?);
    }
    let packed = tokio::task::spawn_blocking(move || pack(&pictures)).await.map_err(Error::internal)??;
    let object = keroxio_storage::service::put_once(app, actor.org_id, packed, "application/zip").await?;
    Ok(Archive { url: keroxio_storage::service::signed_url(app, &object)?, photos: shown.len() })
}

/// The same photos make the same file: nothing in it says when.
fn pack(pictures: &[Vec<u8>]) -> Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    // A JPEG cannot be compressed further.
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (picture, number) in pictures.iter().zip(1..) {
        archive.start_file(format!("{number:02}.jpg"), stored).map_err(Error::internal)?;
        archive.write_all(picture).map_err(Error::internal)?;
    }
    Ok(archive.finish().map_err(Error::internal)?.into_inner())
}
