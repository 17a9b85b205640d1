//! Finished pictures as the schema shows them.

use async_graphql::{ComplexObject, Context, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::{GqlResult, RequestContext as _};
use keroxio_storage::{Object, PublicUrl};
use uuid::Uuid;

use crate::variants;

/// A finished picture. Plates and faces were looked for on it and hidden.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct PhotoRendition {
    #[graphql(skip)]
    row: Object,
    #[graphql(skip)]
    cleaning: Uuid,
    /// Identifier.
    id: Uuid,
    /// Media type: `image/jpeg`, or `image/png` with transparency.
    media_type: String,
    /// Width in pixels.
    width: Option<i32>,
    /// Height in pixels.
    height: Option<i32>,
    /// Size of the file in bytes.
    bytes: i64,
    /// When it was drawn.
    created_at: DateTime<Utc>,
}

impl PhotoRendition {
    pub fn of(row: Object, cleaning: Uuid) -> Self {
        Self {
            cleaning,
            id: row.id,
            media_type: row.media_type.clone(),
            width: row.width,
            height: row.height,
            bytes: row.bytes,
            created_at: row.created_at,
            row,
        }
    }
}

#[ComplexObject]
impl PhotoRendition {
    /// Address that anybody may open, for as long as this is a rendition of the photo; null once it is not.
    async fn url(&self, ctx: &Context<'_>) -> GqlResult<Option<String>> {
        Ok(PublicUrl::of(ctx.app(), &self.row)?.map(|url| url.as_str().to_owned()))
    }

    /// Smaller and lighter files of the same picture, for `srcset`, small ones first. They follow the rendition by a
    /// few seconds; empty until then, for the rendition that is not the one shown, and for transparent pictures.
    async fn variants(&self, ctx: &Context<'_>) -> GqlResult<Vec<PhotoVariant>> {
        let found = variants::of(ctx.app(), self.cleaning, self.row.id).await?;
        let ids: Vec<Uuid> = found.iter().map(|variant| variant.object_id).collect();
        let files = keroxio_storage::service::require(ctx.app(), self.row.org_id, &ids).await?;
        let mut shown = Vec::with_capacity(found.len());
        for variant in found {
            let Some(file) = files.iter().find(|file| file.id == variant.object_id) else { continue };
            if let Some(url) = PublicUrl::of(ctx.app(), file)? {
                shown.push(PhotoVariant {
                    url: url.as_str().to_owned(),
                    media_type: variant.media_type,
                    width: variant.width,
                    height: variant.height,
                    bytes: file.bytes,
                });
            }
        }
        Ok(shown)
    }
}

/// A file of a rendition.
#[derive(SimpleObject)]
pub struct PhotoVariant {
    /// Address that anybody may open.
    url: String,
    /// Media type: `image/avif`, `image/webp` or `image/jpeg`.
    media_type: String,
    /// Width in pixels.
    width: i32,
    /// Height in pixels.
    height: i32,
    /// Size of the file in bytes.
    bytes: i64,
}
