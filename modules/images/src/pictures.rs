//! Finished pictures that anybody may see, with their lighter files.

use std::collections::HashMap;

use async_graphql::SimpleObject;
use keroxio_core::{App, Result};
use keroxio_storage::{Object, PublicUrl};
use uuid::Uuid;

use crate::model;
use crate::variants;

/// A file of a rendition.
#[derive(Debug, Clone, SimpleObject)]
pub struct PhotoVariant {
    /// Address that anybody may open.
    pub url: String,
    /// Media type: `image/avif`, `image/webp` or `image/jpeg`.
    pub media_type: String,
    /// Width in pixels.
    pub width: i32,
    /// Height in pixels.
    pub height: i32,
    /// Size of the file in bytes.
    pub bytes: i64,
}

/// A finished picture that anybody may see.
pub struct PublicPicture {
    pub url: String,
    /// Pixels.
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub files: Vec<PhotoVariant>,
}

/// The renditions that an ad shows of these photos, in their order; a photo without one is left out.
pub async fn public_pictures(app: &App, org: Uuid, photos: &[Uuid]) -> Result<Vec<PublicPicture>> {
    let (cleanings, objects) = shown(app, org, photos).await?;
    let mut files = files(app, org, &cleanings).await?;
    let mut pictures = Vec::with_capacity(objects.len());
    for object in objects {
        if let Some(url) = PublicUrl::of(app, &object)? {
            pictures.push(PublicPicture {
                url: url.as_str().to_owned(),
                width: object.width,
                height: object.height,
                files: files.remove(&object.id).unwrap_or_default(),
            });
        }
    }
    Ok(pictures)
}

/// The files of the renditions that an ad shows of these photos, in their order; a photo without one is left out.
pub async fn shown_files(app: &App, org: Uuid, photos: &[Uuid]) -> Result<Vec<Object>> {
    let (_, objects) = shown(app, org, photos).await?;
    Ok(objects)
}

/// The cleanings of these photos, and what an ad shows of them: the car on its new ground, or the photo as it was taken
/// where it was cut out to stand on none. A car before nothing is for whoever makes a page of their own; portals take
/// JPEG, and would put black behind it.
async fn shown(app: &App, org: Uuid, photos: &[Uuid]) -> Result<(Vec<Uuid>, Vec<Object>)> {
    let cleanings = {
        let mut conn = app.conn().await?;
        model::by_photos(&mut conn, org, photos).await?
    };
    let renditions: Vec<Uuid> = cleanings.iter().flat_map(model::Cleaning::renditions).collect();
    let objects = keroxio_storage::service::require(app, org, &renditions).await?;
    let file = |id: Option<Uuid>| objects.iter().find(|object| Some(object.id) == id && object.masking.is_some());
    let of_photo = |photo: &Uuid| {
        let cleaning = cleanings.iter().find(|cleaning| cleaning.photo_id == *photo)?;
        let on_ground = file(cleaning.cleaned_object).filter(|object| object.media_type != "image/png");
        on_ground.or_else(|| file(cleaning.masked_object)).cloned()
    };
    Ok((cleanings.iter().map(|cleaning| cleaning.id).collect(), photos.iter().filter_map(of_photo).collect()))
}

/// The lighter files of what these cleanings show, small ones first, by rendition.
pub(crate) async fn files(app: &App, org: Uuid, cleanings: &[Uuid]) -> Result<HashMap<Uuid, Vec<PhotoVariant>>> {
    let variants = variants::of(app, cleanings).await?;
    let ids: Vec<Uuid> = variants.iter().map(|variant| variant.object_id).collect();
    let objects = keroxio_storage::service::require(app, org, &ids).await?;
    let mut files: HashMap<Uuid, Vec<PhotoVariant>> = HashMap::new();
    for variant in variants {
        let Some(object) = objects.iter().find(|object| object.id == variant.object_id) else { continue };
        if let Some(url) = PublicUrl::of(app, object)? {
            files.entry(variant.source_id).or_default().push(PhotoVariant {
                url: url.as_str().to_owned(),
                media_type: variant.media_type,
                width: variant.width,
                height: variant.height,
                bytes: object.bytes,
            });
        }
    }
    Ok(files)
}
