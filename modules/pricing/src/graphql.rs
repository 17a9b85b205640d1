use async_graphql::{Context, ID, MergedObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::{Access, GqlResult, RequestContext as _, access};
use keroxio_vehicle::VehicleInput;
use uuid::Uuid;

use crate::market_graphql::{MarketMutation, MarketQuery};
use crate::model::Estimate;
use crate::purpose::PricePurpose;
use crate::quote::Wish;
use crate::quote_graphql::{PriceQuote, Shown};
use crate::service;

/// A price kept with its evidence.
#[derive(SimpleObject)]
pub struct PriceEstimate {
    /// Identifier.
    #[graphql(owned)]
    pub id: ID,
    /// The car.
    vehicle_id: Uuid,
    /// When the estimate was made.
    created_at: DateTime<Utc>,
    #[graphql(flatten)]
    quote: PriceQuote,
}

impl From<Estimate> for PriceEstimate {
    fn from(estimate: Estimate) -> Self {
        let interval = match (estimate.low, estimate.mid, estimate.high) {
            (Some(low), Some(mid), Some(high)) => Some((low, mid, high)),
            _ => None,
        };
        let quote = Shown {
            interval,
            confidence: estimate.confidence,
            sample_size: estimate.sample_size,
            data_until: estimate.data_until,
            contributions: estimate.contributions,
            evidence: estimate.evidence,
            refusal: estimate.refusal,
        };
        Self {
            id: estimate.id.into(),
            vehicle_id: estimate.vehicle_id,
            created_at: estimate.created_at,
            quote: quote.into(),
        }
    }
}

#[derive(MergedObject, Default)]
pub struct PricingQuery(EstimateQuery, MarketQuery);

#[derive(MergedObject, Default)]
pub struct PricingMutation(EstimateMutation, MarketMutation);

#[derive(Default)]
pub struct EstimateQuery;

#[Object]
impl EstimateQuery {
    /// A stored estimate of your organization.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn price_estimate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its identifier.")] id: Uuid,
    ) -> GqlResult<PriceEstimate> {
        Ok(Box::pin(service::get(ctx.app(), ctx.actor()?.org_id, id)).await?.into())
    }

    /// The price of a car now, kept nowhere. `FACTS_MISSING` names what is still needed.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn estimate_price(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The car. Make, model, first registration and mileage are needed; power and version help.")]
        car: VehicleInput,
        #[graphql(desc = "What the price is for; null for an asking price as advertised.")] purpose: Option<
            PricePurpose,
        >,
    ) -> GqlResult<PriceQuote> {
        let explain = ctx.look_ahead().field("contributions").exists();
        Ok(Box::pin(service::instant(ctx.app(), ctx.actor()?.org_id, car, Wish { purpose, explain })).await?.into())
    }

    /// Prices of up to 1,000 cars now, or of 100 with their `contributions`, in order, kept nowhere. Bad facts of one car
    /// refuse the request; `car` in the error's details says which, counted from 0.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read), complexity = "cars.len() + child_complexity")]
    async fn estimate_prices(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cars, 1 to 1,000.")] cars: Vec<VehicleInput>,
        #[graphql(desc = "What the prices are for; null for asking prices as advertised.")] purpose: Option<
            PricePurpose,
        >,
    ) -> GqlResult<Vec<PriceQuote>> {
        let explain = ctx.look_ahead().field("contributions").exists();
        let quotes = Box::pin(service::bulk(ctx.app(), ctx.actor()?.org_id, cars, Wish { purpose, explain })).await?;
        Ok(quotes.into_iter().map(PriceQuote::from).collect())
    }
}

#[derive(Default)]
pub struct EstimateMutation;

#[Object]
impl EstimateMutation {
    /// Estimates the price of a car now and keeps the evidence. `FACTS_MISSING` names what is still needed.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn estimate_price(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The car.")] vehicle_id: Uuid,
        #[graphql(desc = "What the price is for; null for an asking price as advertised.")] purpose: Option<
            PricePurpose,
        >,
    ) -> GqlResult<PriceEstimate> {
        Ok(Box::pin(service::estimate(ctx.app(), ctx.actor()?.org_id, vehicle_id, purpose)).await?.into())
    }
}
