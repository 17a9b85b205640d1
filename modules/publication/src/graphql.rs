use async_graphql::{Context, Enum, Object, SimpleObject};
use chrono::{DateTime, Duration, NaiveDate, Utc};
use keroxio_core::{Access, GqlResult, RequestContext as _, access};
use serde::Deserialize;
use uuid::Uuid;

use crate::channel::Channel;
use crate::life;
use crate::model::Pack;
use crate::page::{self, Page, Site};
use crate::rules::{Finding, FindingSeverity};
use crate::service;

/// Where the ad stands on a portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum PublicationState {
    /// Texts and fields are ready to be pasted into the portal's form.
    Prepared,
    /// The seller has published it and given us its address.
    Published,
    /// The seller has taken it away.
    Withdrawn,
}

/// What a seller is to do on a portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum PublicationTask {
    /// Paste the ad into the portal's form.
    Publish,
    /// Take the ad away: the car is sold or withdrawn.
    Withdraw,
}

/// A field of the portal's form, in the order of the form.
#[derive(SimpleObject, Deserialize)]
pub struct PublicationField {
    /// Label, in French as on the portal.
    label: String,
    /// Value to choose or paste.
    value: String,
}

/// A listing made ready for one portal.
#[derive(SimpleObject)]
pub struct Publication {
    /// Identifier.
    id: Uuid,
    /// Stable name of the portal: `leboncoin`, `la_centrale`, `paruvendu`.
    platform: String,
    /// Name of the portal as people know it.
    platform_name: String,
    /// Where the portal takes new ads.
    url: String,
    /// Title within the portal's limit.
    title: String,
    /// Body within the portal's limit.
    body: String,
    /// What the form asks for, in its order.
    fields: Vec<PublicationField>,
    /// Where the ad stands there.
    state: PublicationState,
    /// Address of the published ad.
    ad_url: Option<String>,
    /// The portal's number of the published ad.
    external_id: Option<String>,
    /// When the seller told us that it is online.
    published_at: Option<DateTime<Utc>>,
    /// When the seller told us that it is gone.
    withdrawn_at: Option<DateTime<Utc>>,
    /// What is to be done there now; null for nothing.
    task: Option<PublicationTask>,
    /// Day on which the ad is to be renewed there; null while it is not online.
    renew_on: Option<NaiveDate>,
}

impl From<(Pack, Channel)> for Publication {
    fn from((pack, channel): (Pack, Channel)) -> Self {
        let state = match pack.state.as_str() {
            "published" => PublicationState::Published,
            "withdrawn" => PublicationState::Withdrawn,
            _ => PublicationState::Prepared,
        };
        let online = state == PublicationState::Published;
        let task = match (state, pack.sold_at) {
            (PublicationState::Published, Some(_)) => Some(PublicationTask::Withdraw),
            (PublicationState::Prepared | PublicationState::Withdrawn, None) => Some(PublicationTask::Publish),
            _ => None,
        };
        let renew_on = pack.published_at.filter(|_| online && pack.sold_at.is_none());
        let renew_on = renew_on.map(|at| (at + Duration::days(channel.renew_days)).date_naive());
        Self {
            id: pack.id,
            platform: channel.id,
            platform_name: channel.name,
            url: channel.deposit_url,
            title: pack.title,
            body: pack.body,
            fields: serde_json::from_value(pack.fields).unwrap_or_default(),
            state,
            published_at: pack.published_at,
            withdrawn_at: pack.withdrawn_at,
            task,
            renew_on,
            ad_url: pack.ad_url,
            external_id: pack.external_id,
        }
    }
}

#[derive(Default)]
pub struct PublicationQuery;

#[Object]
impl PublicationQuery {
    /// The packs of a listing, one per portal; empty until the publication step is done.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn publications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The listing.")] listing_id: Uuid,
    ) -> GqlResult<Vec<Publication>> {
        let packs = Box::pin(service::of_listing(ctx.app(), &ctx.actor()?, listing_id)).await?;
        Ok(packs.into_iter().map(Publication::from).collect())
    }

    /// The page of our own of a listing; null when it never had one.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn listing_page(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The listing.")] listing_id: Uuid,
    ) -> GqlResult<Option<ListingPage>> {
        let site = ctx.app().get::<Site>()?;
        let page = Box::pin(page::of_listing(ctx.app(), &ctx.actor()?, listing_id)).await?;
        Ok(page.map(|page| ListingPage::of(page, &site)))
    }

    /// What the law and a portal want of an ad on a day, and what is not yet so. Rules are dated: a day to come is
    /// judged by those known to hold then. Advice, not legal counsel.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn publishability(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The listing.")] listing_id: Uuid,
        #[graphql(desc = "Stable name of the portal, for instance `leboncoin`; `page` for the page of our own.")]
        channel: String,
        #[graphql(desc = "Day of publication; today by default.")] on: Option<NaiveDate>,
    ) -> GqlResult<Publishability> {
        let (app, actor) = (ctx.app(), ctx.actor()?);
        let day = on.unwrap_or_else(|| app.now().date_naive());
        Ok(Box::pin(service::publishability(app, &actor, listing_id, &channel, day)).await?)
    }
}

/// A rule that an ad does not keep.
#[derive(SimpleObject)]
pub struct PublicationFinding {
    /// Stable code of the rule.
    code: String,
    /// Whether the ad may be published all the same.
    severity: FindingSeverity,
    /// What the rule rests on: a text of law or a portal's condition, in French.
    article: String,
    /// What to do, in French.
    message: String,
    /// The same in English.
    message_en: String,
    /// The mutation that mends it.
    fix: String,
    /// The field to give that mutation.
    field: String,
    /// Until when there is time, where that is known.
    deadline: Option<NaiveDate>,
}

impl From<&Finding<'_>> for PublicationFinding {
    fn from(finding: &Finding<'_>) -> Self {
        let rule = finding.rule;
        Self {
            code: rule.code.clone(),
            severity: rule.severity,
            article: rule.article.clone(),
            message: rule.fr.clone(),
            message_en: rule.en.clone(),
            fix: rule.fix.clone(),
            field: rule.field.clone(),
            deadline: finding.deadline,
        }
    }
}

/// Whether an ad may be published somewhere.
#[derive(SimpleObject)]
pub struct Publishability {
    /// Whether nothing blocks it.
    publishable: bool,
    /// What is not as it should be, blocking findings first.
    findings: Vec<PublicationFinding>,
}

impl Publishability {
    pub fn of(findings: &[Finding<'_>]) -> Self {
        Self {
            publishable: findings.iter().all(|finding| finding.rule.severity != FindingSeverity::Blocking),
            findings: findings.iter().map(PublicationFinding::from).collect(),
        }
    }
}

impl Publishability {
    pub fn is_publishable(&self) -> bool {
        self.publishable
    }

    /// The codes of the findings of a severity.
    pub fn codes(&self, severity: FindingSeverity) -> Vec<String> {
        let mine = self.findings.iter().filter(|finding| finding.severity == severity);
        mine.map(|finding| finding.code.clone()).collect()
    }
}

/// The page of our own that shows an ad to anybody.
#[derive(SimpleObject)]
pub struct ListingPage {
    /// Its address; it stays the same when the page is closed and opened again.
    url: String,
    /// Whether it is open; a closed one answers that the car is no longer for sale.
    open: bool,
    /// Why the platform hides it from everybody, where it does; write to us to contest that.
    hidden_for: Option<String>,
    /// When it was first opened.
    opened_at: DateTime<Utc>,
}

impl ListingPage {
    fn of(page: Page, site: &Site) -> Self {
        Self {
            url: site.page(&page.slug),
            open: page.is_seen(),
            hidden_for: page.hidden_for,
            opened_at: page.opened_at,
        }
    }
}

/// The photos of an ad in one file.
#[derive(SimpleObject)]
pub struct PhotoArchive {
    /// Private address of a ZIP file, good for an hour.
    url: String,
    /// Photos in it.
    photos: usize,
}

#[derive(Default)]
pub struct PublicationMutation;

#[Object]
impl PublicationMutation {
    /// Tells us the address of the ad you published, so that we can follow it.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn confirm_publication(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The pack that was published.")] id: Uuid,
        #[graphql(desc = "The https address of the ad on that portal.", validator(max_length = 500))] url: String,
    ) -> GqlResult<Publication> {
        Ok(Box::pin(service::confirm(ctx.app(), &ctx.actor()?, id, &url)).await?.into())
    }

    /// Puts the finished, masked photos of a listing into one ZIP file, in your order: `01.jpg`, `02.jpg`, ... Portals take
    /// them in that order. `NOT_PUBLISHABLE` while none is ready.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn archive_listing_photos(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The listing.")] listing_id: Uuid,
    ) -> GqlResult<PhotoArchive> {
        let archive = Box::pin(crate::archive::make(ctx.app(), &ctx.actor()?, listing_id)).await?;
        Ok(PhotoArchive { url: archive.url, photos: archive.photos })
    }

    /// Opens a page of our own for an ad, with its masked photos, the facts and the price, also for search engines.
    /// `NOT_PUBLISHABLE` while a finding of `publishability` for `page` blocks it. The page closes when the car is sold.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn open_listing_page(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The listing.")] listing_id: Uuid,
    ) -> GqlResult<ListingPage> {
        let site = ctx.app().get::<Site>()?;
        Ok(ListingPage::of(Box::pin(page::open(ctx.app(), &ctx.actor()?, listing_id)).await?, &site))
    }

    /// Closes the page of our own of an ad.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn close_listing_page(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The listing.")] listing_id: Uuid,
    ) -> GqlResult<ListingPage> {
        let site = ctx.app().get::<Site>()?;
        Ok(ListingPage::of(Box::pin(page::close(ctx.app(), &ctx.actor()?, listing_id)).await?, &site))
    }

    /// Tells us that you took the ad away there. `NOT_PUBLISHED` for one that is not online.
    #[graphql(guard = "Access::Publish", directive = access::apply(Access::Publish))]
    async fn withdraw_publication(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The pack that was published.")] id: Uuid,
    ) -> GqlResult<Publication> {
        Ok(Box::pin(life::withdraw(ctx.app(), &ctx.actor()?, id)).await?.into())
    }
}
