use std::io::Read as _;

use async_graphql::{ComplexObject, Context, ID, Object, SimpleObject, Upload};
use chrono::{DateTime, Utc};
use keroxio_core::{Access, Error, GqlResult, RequestContext as _, access};
use uuid::Uuid;

use crate::model::Object as Row;
use crate::{error, service};

/// A photo as it was uploaded, without its metadata. It is private.
#[derive(SimpleObject)]
#[graphql(name = "Photo", complex)]
pub struct StoredPhoto {
    #[graphql(skip)]
    row: Row,
    /// Identifier.
    #[graphql(owned)]
    pub id: ID,
    /// Media type, for instance `image/jpeg`.
    media_type: String,
    /// Width in pixels.
    width: Option<i32>,
    /// Height in pixels.
    height: Option<i32>,
    /// Size of the file in bytes.
    bytes: i64,
    /// When it was stored.
    created_at: DateTime<Utc>,
}

impl From<Row> for StoredPhoto {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
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
impl StoredPhoto {
    /// Private address for your own screen, valid for an hour: plates and faces are as they were photographed. What
    /// may be shown to others are the renditions of its cleaning.
    async fn url(&self, ctx: &Context<'_>) -> GqlResult<String> {
        Ok(service::signed_url(ctx.app(), &self.row)?)
    }
}

#[derive(Default)]
pub struct StorageQuery;

#[Object]
impl StorageQuery {
    /// A photo of your organization.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn photo(&self, ctx: &Context<'_>, #[graphql(desc = "Its identifier.")] id: Uuid) -> GqlResult<StoredPhoto> {
        Ok(Box::pin(service::get(ctx.app(), ctx.actor()?.org_id, id)).await?.into())
    }
}

#[derive(Default)]
pub struct StorageMutation;

#[Object]
impl StorageMutation {
    /// Stores a photo (JPEG, PNG or WebP, at most 25 MiB and 60 megapixels) without its metadata.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn upload_photo(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file, by the GraphQL multipart request specification.")] file: Upload,
    ) -> GqlResult<StoredPhoto> {
        let upload = file.value(ctx).map_err(Error::internal)?;
        let mut bytes = Vec::new();
        let bound = u64::try_from(service::MAX_PHOTO).unwrap_or(u64::MAX) + 1;
        upload.content.take(bound).read_to_end(&mut bytes).map_err(Error::internal)?;
        if bytes.len() > service::MAX_PHOTO {
            return Err(error::too_large().into());
        }
        Ok(Box::pin(service::upload(ctx.app(), &ctx.actor()?, bytes)).await?.into())
    }
}
