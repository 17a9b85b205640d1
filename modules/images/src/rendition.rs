//! Finished pictures as the schema shows them.

use async_graphql::{ComplexObject, Context, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::{GqlResult, RequestContext as _};
use keroxio_storage::{Object, PublicUrl};
use uuid::Uuid;

use crate::pictures::{self, PhotoVariant};

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
        let mut files = Box::pin(pictures::files(ctx.app(), self.row.org_id, &[self.cleaning])).await?;
        Ok(files.remove(&self.row.id).unwrap_or_default())
    }
}
