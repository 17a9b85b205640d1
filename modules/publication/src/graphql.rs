use async_graphql::{Context, Enum, Object, SimpleObject};
use keroxio_core::{GqlResult, RequestContext as _, RequireUser};
use serde::Deserialize;
use uuid::Uuid;

use crate::channel::Channel;
use crate::model::Pack;
use crate::service;

/// Where the ad stands on a portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum PublicationState {
    /// Texts and fields are ready to be pasted into the portal's form.
    Prepared,
    /// The seller has published it and given us its address.
    Published,
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
    /// Stable name of the portal: `leboncoin`, `la_centrale`.
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
}

impl From<(Pack, Channel)> for Publication {
    fn from((pack, channel): (Pack, Channel)) -> Self {
        let published = pack.state == "published";
        Self {
            id: pack.id,
            platform: channel.id,
            platform_name: channel.name,
            url: channel.deposit_url,
            title: pack.title,
            body: pack.body,
            fields: serde_json::from_value(pack.fields).unwrap_or_default(),
            state: if published { PublicationState::Published } else { PublicationState::Prepared },
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
    #[graphql(guard = "RequireUser")]
    async fn publications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The listing.")] listing_id: Uuid,
    ) -> GqlResult<Vec<Publication>> {
        let packs = service::of_listing(ctx.app(), &ctx.actor()?, listing_id).await?;
        Ok(packs.into_iter().map(Publication::from).collect())
    }
}

#[derive(Default)]
pub struct PublicationMutation;

#[Object]
impl PublicationMutation {
    /// Tells us the address of the ad you published, so that we can follow it.
    #[graphql(guard = "RequireUser")]
    async fn confirm_publication(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The pack that was published.")] id: Uuid,
        #[graphql(desc = "The https address of the ad on that portal.", validator(max_length = 500))] url: String,
    ) -> GqlResult<Publication> {
        Ok(service::confirm(ctx.app(), &ctx.actor()?, id, &url).await?.into())
    }
}
