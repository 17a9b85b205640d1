use async_graphql::{ComplexObject, Context, Enum, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::{GqlResult, RequestContext as _, RequireUser};
use keroxio_storage::StoredPhoto;
use uuid::Uuid;

use crate::model::Cleaning;
use crate::service;

/// Where a cleaning stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum PhotoCleaningState {
    /// Waits for the plates of the photo to be found.
    Waiting,
    /// Waits for a worker or is being worked on.
    Pending,
    /// Ended with renditions.
    Done,
    /// Ended without; see `errorCode`.
    Failed,
}

/// What became of a photo.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct PhotoCleaning {
    #[graphql(skip)]
    row: Cleaning,
    /// Identifier.
    id: Uuid,
    /// The photo.
    photo_id: Uuid,
    /// Where the cleaning stands.
    state: PhotoCleaningState,
    /// Whether a car stands out in the photo.
    car_found: Option<bool>,
    /// Share of the photo covered by the car, 0 to 1.
    coverage: Option<f64>,
    /// How decided the cut-out is, 0 to 1.
    confidence: Option<f64>,
    /// Plates hidden on the renditions.
    plates_masked: Option<i32>,
    /// Why the cleaning failed.
    error_code: Option<String>,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When it ended.
    finished_at: Option<DateTime<Utc>>,
    /// The job that does it, for `jobUpdated` and `cancelJob`; null while the plate is being read.
    job_id: Option<Uuid>,
}

impl From<Cleaning> for PhotoCleaning {
    fn from(row: Cleaning) -> Self {
        Self {
            id: row.id,
            photo_id: row.photo_id,
            state: match row.state.as_str() {
                "waiting" => PhotoCleaningState::Waiting,
                "done" => PhotoCleaningState::Done,
                "failed" => PhotoCleaningState::Failed,
                _ => PhotoCleaningState::Pending,
            },
            car_found: row.car_found,
            coverage: row.coverage.map(f64::from),
            confidence: row.confidence.map(f64::from),
            plates_masked: row.plates_masked,
            error_code: row.error.clone(),
            created_at: row.created_at,
            finished_at: row.finished_at,
            job_id: row.job_id,
            row,
        }
    }
}

#[ComplexObject]
impl PhotoCleaning {
    /// The car on a studio background, plates hidden; null when no car was found.
    async fn cleaned(&self, ctx: &Context<'_>) -> GqlResult<Option<StoredPhoto>> {
        self.rendition(ctx, self.row.cleaned_object).await
    }

    /// The original background, plates hidden.
    async fn masked(&self, ctx: &Context<'_>) -> GqlResult<Option<StoredPhoto>> {
        self.rendition(ctx, self.row.masked_object).await
    }
}

impl PhotoCleaning {
    async fn rendition(&self, ctx: &Context<'_>, id: Option<Uuid>) -> GqlResult<Option<StoredPhoto>> {
        Ok(match id {
            Some(id) => Some(keroxio_storage::service::get(ctx.app(), self.row.org_id, id).await?.into()),
            None => None,
        })
    }
}

#[derive(Default)]
pub struct ImagesQuery;

#[Object]
impl ImagesQuery {
    /// A photo cleaning of your organization.
    #[graphql(guard = "RequireUser")]
    async fn photo_cleaning(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its identifier.")] id: Uuid,
    ) -> GqlResult<PhotoCleaning> {
        Ok(service::get(ctx.app(), ctx.actor()?.org_id, id).await?.into())
    }
}

#[derive(Default)]
pub struct ImagesMutation;

#[Object]
impl ImagesMutation {
    /// Starts cleaning a photo, or answers the cleaning there is. Follow it with `photoCleaning`.
    #[graphql(guard = "RequireUser")]
    async fn clean_photo(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The photo.")] photo_id: Uuid,
    ) -> GqlResult<PhotoCleaning> {
        Ok(service::start(ctx.app(), &ctx.actor()?, photo_id).await?.into())
    }
}
