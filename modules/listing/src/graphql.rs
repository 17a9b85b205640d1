use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use futures_util::future::try_join_all;
use keroxio_core::{Access, GqlResult, Money, Page, RequestContext as _, access, connection};
use keroxio_images::{Cleanings, PhotoCleaning};
use keroxio_plates::{PlateReading, Readings};
use keroxio_pricing::{Estimates, PriceEstimate};
use keroxio_storage::{Objects, StoredPhoto};
use keroxio_vehicle::{VehicleInput, VehicleObject, Vehicles};
use uuid::Uuid;

use crate::loaders::{Photos, Rewritings, Steps};
use crate::model::{Ad, Progress, Step};
use crate::steps::{ListingState, StepKind, StepState};
use crate::text::AdTone;
use crate::text_graphql::{ListingRewriting, ListingText, ListingTextDiff};
use crate::texts;
use crate::{error, service};

/// Language of an ad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum AdLanguage {
    /// French, as the law asks for an ad in France.
    Fr,
    /// English.
    En,
}

impl AdLanguage {
    fn as_str(self) -> &'static str {
        match self {
            Self::Fr => "fr",
            Self::En => "en",
        }
    }
}

/// What `prepareListing` starts from.
#[derive(InputObject)]
pub struct PrepareListingInput {
    /// 1 to 20 photos uploaded before, in the order of the ad.
    photo_ids: Vec<Uuid>,
    /// What the seller knows of the car; may be empty and completed later with `correctListing`.
    #[graphql(default)]
    vehicle: VehicleInput,
    /// Language of the ad; French by default.
    language: Option<AdLanguage>,
    /// How the ad speaks.
    #[graphql(default)]
    tone: AdTone,
    /// A car of your stock; a new one by default. `VEHICLE_LISTED` when it has an ad that is not sold.
    vehicle_id: Option<Uuid>,
}

/// The ad of a car and its preparation.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Listing {
    #[graphql(skip)]
    ad: Ad,
    /// Identifier.
    #[graphql(owned)]
    pub id: ID,
    /// Where the listing stands.
    state: ListingState,
    /// Title of the ad, at most 50 characters when written by us.
    title: Option<String>,
    /// Body of the ad.
    body: Option<String>,
    /// Language of the ad: `fr` or `en`.
    language: String,
    /// Asking price: the estimate until the seller sets another.
    price: Option<Money>,
    /// Number of the last change; resume `listingProgress` after it.
    seq: i32,
    /// When the listing was created.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    /// When the car was sold; null while it is for sale.
    sold_at: Option<DateTime<Utc>>,
    /// How the ad speaks when written by us.
    tone: AdTone,
}

impl From<Ad> for Listing {
    fn from(ad: Ad) -> Self {
        Self {
            id: ad.id.into(),
            state: ad.state(),
            title: ad.title.clone(),
            body: ad.body.clone(),
            language: ad.language.clone(),
            price: ad.price_eur.map(Money::euros),
            seq: ad.seq,
            created_at: ad.created_at,
            updated_at: ad.updated_at,
            sold_at: ad.sold_at,
            tone: AdTone::parse(&ad.tone),
            ad,
        }
    }
}

#[ComplexObject]
impl Listing {
    /// The car.
    async fn vehicle(&self, ctx: &Context<'_>) -> GqlResult<VehicleObject> {
        let vehicle = ctx.load::<Vehicles>((self.ad.org_id, self.ad.vehicle_id)).await?;
        Ok(vehicle.ok_or_else(error::not_found)?.into())
    }

    /// Every step of the preparation, in order.
    async fn steps(&self, ctx: &Context<'_>) -> GqlResult<Vec<ListingStep>> {
        let steps = ctx.load::<Steps>(self.ad.id).await?.unwrap_or_default();
        Ok(steps.into_iter().map(ListingStep::from).collect())
    }

    /// The photos in the seller's order, with their finished renditions.
    async fn photos(&self, ctx: &Context<'_>) -> GqlResult<Vec<ListingPhoto>> {
        let photos = ctx.load::<Photos>(self.ad.id).await?.unwrap_or_default();
        Ok(photos.into_iter().map(|id| ListingPhoto { org: self.ad.org_id, id }).collect())
    }

    /// The reading that stands for all photos, once the plate step has ended; null when no plate was found. Whether
    /// it needs confirmation is judged by all photos together.
    async fn plate(&self, ctx: &Context<'_>) -> GqlResult<Option<PlateReading>> {
        Ok(match self.result_of(ctx, StepKind::Plate).await? {
            Some(_) => {
                let photos = ctx.load::<Photos>(self.ad.id).await?.unwrap_or_default();
                let readings = photos.into_iter().map(|photo| ctx.load::<Readings>((self.ad.org_id, photo)));
                let readings: Vec<_> = try_join_all(readings).await?.into_iter().flatten().collect();
                keroxio_plates::service::consensus(&readings, ctx.app().now()).map(PlateReading::from)
            }
            None => None,
        })
    }

    /// The estimate behind the price, with its range.
    async fn estimate(&self, ctx: &Context<'_>) -> GqlResult<Option<PriceEstimate>> {
        Ok(match self.result_of(ctx, StepKind::Price).await? {
            Some(id) => ctx.load::<Estimates>((self.ad.org_id, id)).await?.map(PriceEstimate::from),
            None => None,
        })
    }

    /// The texts the ad has had, newest first; the last 200 are kept. `restoreListingText` brings one back.
    #[graphql(complexity = "first.unwrap_or(20).clamp(1, 200) as usize * child_complexity")]
    async fn texts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many, 1 to 200; 20 by default.")] first: Option<i32>,
    ) -> GqlResult<Vec<ListingText>> {
        let most = i64::from(first.unwrap_or(20).clamp(1, 200));
        Ok(Box::pin(texts::list(ctx.app(), self.ad.id, most)).await?.into_iter().map(ListingText::from).collect())
    }

    /// What changed from one text of the ad to another, by words. `NOT_FOUND` for a version that is not kept.
    #[graphql(complexity = "50 + child_complexity")]
    async fn text_diff(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The older version.")] from: i32,
        #[graphql(desc = "The newer version.")] to: i32,
    ) -> GqlResult<ListingTextDiff> {
        let (from, to) = Box::pin(texts::pair(ctx.app(), self.ad.id, from, to)).await?;
        Ok(ListingTextDiff::between(&from, &to))
    }

    /// The last rewriting by a language model; null when there was none.
    async fn rewriting(&self, ctx: &Context<'_>) -> GqlResult<Option<ListingRewriting>> {
        Ok(ctx.load::<Rewritings>(self.ad.id).await?.map(ListingRewriting::from))
    }
}

impl Listing {
    async fn result_of(&self, ctx: &Context<'_>, kind: StepKind) -> GqlResult<Option<Uuid>> {
        let steps = ctx.load::<Steps>(self.ad.id).await?.unwrap_or_default();
        Ok(steps.iter().find(|s| s.kind() == kind).and_then(|s| s.result_id))
    }
}

/// A photo of a listing.
pub struct ListingPhoto {
    org: Uuid,
    id: Uuid,
}

/// A photo of a listing.
#[Object]
impl ListingPhoto {
    /// Identifier of the uploaded photo.
    async fn id(&self) -> Uuid {
        self.id
    }

    /// The photo as uploaded, without its metadata; private to the organization.
    async fn original(&self, ctx: &Context<'_>) -> GqlResult<StoredPhoto> {
        let object = ctx.load::<Objects>((self.org, self.id)).await?;
        Ok(object.ok_or_else(error::not_found)?.into())
    }

    /// Cleaned and masked renditions, once the photo step has started.
    async fn cleaning(&self, ctx: &Context<'_>) -> GqlResult<Option<PhotoCleaning>> {
        let cleaning = ctx.load::<Cleanings>((self.org, self.id)).await?;
        Ok(cleaning.map(PhotoCleaning::from))
    }
}

/// One step of a preparation.
#[derive(SimpleObject)]
pub struct ListingStep {
    /// What it does.
    kind: StepKind,
    /// The photo of a PHOTO step.
    photo_id: Option<Uuid>,
    /// Where it stands.
    state: StepState,
    /// Stable error code when it failed or needs facts.
    error_code: Option<String>,
    /// What happened and what to do, in French.
    message: Option<String>,
    /// The same in English.
    message_en: Option<String>,
    /// Facts the seller has to add, by their name in `VehicleInput`.
    missing: Vec<String>,
    /// Milliseconds from its start to its end.
    duration_ms: Option<i64>,
}

impl From<Step> for ListingStep {
    fn from(step: Step) -> Self {
        Self {
            kind: step.kind(),
            photo_id: step.photo_id(),
            state: step.state(),
            missing: step.missing(),
            duration_ms: step.started_at.zip(step.finished_at).map(|(from, to)| (to - from).num_milliseconds()),
            error_code: step.error_code,
            message: step.message_fr,
            message_en: step.message_en,
        }
    }
}

/// A change of one step, or of the listing as a whole.
#[derive(SimpleObject)]
pub struct ListingProgress {
    /// Number of the change within the listing, from 1.
    seq: i32,
    /// The step that changed; null when the listing as a whole is settled, which its `state` tells.
    step: Option<StepKind>,
    /// The photo of a PHOTO step.
    photo_id: Option<Uuid>,
    /// Its new state.
    state: StepState,
    /// Share of all steps that are settled, 0 to 100.
    percent: i32,
    /// Stable error code when the step failed or needs facts.
    error_code: Option<String>,
    /// What happened and what to do, in French.
    message: Option<String>,
    /// The same in English.
    message_en: Option<String>,
    /// When it changed.
    at: DateTime<Utc>,
    /// The listing with what is known so far.
    listing: Listing,
}

impl ListingProgress {
    pub(crate) fn new(ad: Ad, row: Progress) -> Self {
        Self {
            seq: row.seq,
            step: row.step(),
            photo_id: row.photo_id,
            state: StepState::parse(&row.state),
            percent: row.percent,
            error_code: row.error_code,
            message: row.message_fr,
            message_en: row.message_en,
            at: row.at,
            listing: ad.into(),
        }
    }
}

#[derive(Default)]
pub struct ListingQuery;

#[Object]
impl ListingQuery {
    /// A listing of your organization.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn listing(&self, ctx: &Context<'_>, #[graphql(desc = "Its identifier.")] id: Uuid) -> GqlResult<Listing> {
        Ok(Box::pin(service::get(ctx.app(), ctx.actor()?.org_id, id)).await?.into())
    }

    /// Listings of your organization, newest first.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read), complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity")]
    async fn listings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the last row already seen.")] after: Option<String>,
    ) -> GqlResult<Connection<String, Listing, EmptyFields, EmptyFields>> {
        let page = Page::new(first, after.as_deref())?;
        let ads = Box::pin(service::list(ctx.app(), &ctx.actor()?, page)).await?;
        Ok(connection(page, ads.into_iter().map(|ad| (ad.id, ad.into())).collect()))
    }
}

#[derive(Default)]
pub struct AdMutation;

#[Object]
impl AdMutation {
    /// Turns photos and what the seller knows into an ad. Answers at once with a listing in
    /// preparation; follow it with the subscription `listingProgress`.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn prepare_listing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Photos, known facts and language.")] input: PrepareListingInput,
    ) -> GqlResult<Listing> {
        let language = input.language.unwrap_or(AdLanguage::Fr).as_str();
        let car = service::Car { id: input.vehicle_id, facts: input.vehicle };
        let ad =
            Box::pin(service::prepare(ctx.app(), &ctx.actor()?, input.photo_ids, car, language, input.tone)).await?;
        Ok(ad.into())
    }

    /// Adds or corrects facts of the car; only the steps that depend on them run again.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn correct_listing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The listing.")] id: Uuid,
        #[graphql(desc = "Facts to change; absent ones stay.")] vehicle: VehicleInput,
    ) -> GqlResult<Listing> {
        Ok(Box::pin(service::correct(ctx.app(), &ctx.actor()?, id, vehicle)).await?.into())
    }

    /// Sets title, body or price by hand; a text set by hand is not overwritten by later steps.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn edit_listing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The listing.")] id: Uuid,
        #[graphql(desc = "New title, at most 120 characters.")] title: Option<String>,
        #[graphql(desc = "New body, at most 4,000 characters.")] body: Option<String>,
        #[graphql(desc = "New asking price in whole euros, all taxes included.")] price_eur: Option<i32>,
    ) -> GqlResult<Listing> {
        Ok(Box::pin(service::edit(ctx.app(), &ctx.actor()?, id, title, body, price_eur)).await?.into())
    }

    /// The car is sold. Every portal where its ad is online becomes a task: you are notified to withdraw it there. Tell
    /// the price with `recordSale`, to have your next estimates learn from it. `LISTING_SOLD` when it was sold before.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn mark_listing_sold(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The listing.")] id: Uuid,
    ) -> GqlResult<Listing> {
        Ok(Box::pin(service::sell(ctx.app(), &ctx.actor()?, id)).await?.into())
    }

    /// A sale fell through: the car is for sale again. `LISTING_NOT_SOLD` when it was not sold.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn cancel_sale(&self, ctx: &Context<'_>, #[graphql(desc = "The listing.")] id: Uuid) -> GqlResult<Listing> {
        Ok(Box::pin(service::take_back(ctx.app(), &ctx.actor()?, id)).await?.into())
    }

    /// Estimates the price of every listing of yours anew, as happens every night; answers how many. A listing whose
    /// market has really moved shows the new estimate and you are notified; the price you ask stays as it is.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn estimate_stock(&self, ctx: &Context<'_>) -> GqlResult<usize> {
        Ok(Box::pin(crate::watch::look_now(ctx.app(), ctx.actor()?.org_id)).await?)
    }

    /// Writes the ad again from the facts, replacing a text set by hand.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn draft_listing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The listing.")] id: Uuid,
        #[graphql(desc = "How the ad speaks from now on; as before by default.")] tone: Option<AdTone>,
    ) -> GqlResult<Listing> {
        Ok(Box::pin(service::write_again(ctx.app(), &ctx.actor()?, id, tone)).await?.into())
    }

    /// Runs one step of the preparation again.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn repeat_listing_step(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The listing.")] id: Uuid,
        #[graphql(desc = "The step.")] step: StepKind,
        #[graphql(desc = "The photo, for a PHOTO step.")] photo_id: Option<Uuid>,
    ) -> GqlResult<Listing> {
        Ok(Box::pin(service::repeat(ctx.app(), &ctx.actor()?, id, step, photo_id)).await?.into())
    }
}
