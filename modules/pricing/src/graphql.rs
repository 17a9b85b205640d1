use async_graphql::{Context, MergedObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::{Error, GqlResult, RequestContext as _, RequireUser};
use keroxio_vehicle::{Vehicle, VehicleInput};
use uuid::Uuid;

use crate::error::facts_missing;
use crate::market_graphql::{MarketMutation, MarketQuery};
use crate::model::Estimate;
use crate::purpose::PricePurpose;
use crate::quote::{self, Wish};
use crate::quote_graphql::{PriceQuote, Shown};
use crate::service;

/// Cars of one bulk request.
const MOST_AT_ONCE: usize = 1_000;

/// A price kept with its evidence.
#[derive(SimpleObject)]
pub struct PriceEstimate {
    /// Identifier.
    id: Uuid,
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
        Self { id: estimate.id, vehicle_id: estimate.vehicle_id, created_at: estimate.created_at, quote: quote.into() }
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
    #[graphql(guard = "RequireUser")]
    async fn price_estimate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its identifier.")] id: Uuid,
    ) -> GqlResult<PriceEstimate> {
        Ok(service::get(ctx.app(), ctx.actor()?.org_id, id).await?.into())
    }

    /// The price of a car now, kept nowhere. `FACTS_MISSING` names what is still needed.
    #[graphql(guard = "RequireUser")]
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
        let quotes = quoted(ctx, vec![car], Wish { purpose, explain }).await?;
        let quote = quotes.into_iter().next();
        Ok(quote.ok_or_else(|| Error::internal(std::io::Error::other("no quote")))?)
    }

    /// Prices of up to 1,000 cars now, in order, kept nowhere. Bad facts of one car refuse the request; `car` in the
    /// error's details says which, counted from 0.
    #[graphql(guard = "RequireUser", complexity = "cars.len() + child_complexity")]
    async fn estimate_prices(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cars, 1 to 1,000.")] cars: Vec<VehicleInput>,
        #[graphql(desc = "What the prices are for; null for asking prices as advertised.")] purpose: Option<
            PricePurpose,
        >,
    ) -> GqlResult<Vec<PriceQuote>> {
        if cars.is_empty() || cars.len() > MOST_AT_ONCE {
            return Err(Error::bad_input(
                format!("Indiquez de 1 à {MOST_AT_ONCE} voitures."),
                format!("Give 1 to {MOST_AT_ONCE} cars."),
            )
            .into());
        }
        let explain = ctx.look_ahead().field("contributions").exists();
        quoted(ctx, cars, Wish { purpose, explain }).await
    }
}

async fn quoted(ctx: &Context<'_>, cars: Vec<VehicleInput>, wish: Wish) -> GqlResult<Vec<PriceQuote>> {
    let (app, org) = (ctx.app(), ctx.actor()?.org_id);
    let (now, many) = (app.now(), cars.len() > 1);
    let mut facts = Vec::with_capacity(cars.len());
    for (at, input) in cars.into_iter().enumerate() {
        let mut vehicle = Vehicle::empty(org, now);
        let known = input.apply(&mut vehicle, now).and_then(|()| {
            keroxio_vehicle::service::car_facts(&vehicle, now.date_naive()).map_err(|missing| facts_missing(&missing))
        });
        facts.push(known.map_err(|e| if many { e.with_details(serde_json::json!({ "car": at })) } else { e })?);
    }
    let quotes = quote::quotes(app, org, &facts, wish).await?;
    Ok(quotes.into_iter().map(PriceQuote::from).collect())
}

#[derive(Default)]
pub struct EstimateMutation;

#[Object]
impl EstimateMutation {
    /// Estimates the price of a car now and keeps the evidence. `FACTS_MISSING` names what is still needed.
    #[graphql(guard = "RequireUser")]
    async fn estimate_price(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The car.")] vehicle_id: Uuid,
        #[graphql(desc = "What the price is for; null for an asking price as advertised.")] purpose: Option<
            PricePurpose,
        >,
    ) -> GqlResult<PriceEstimate> {
        Ok(service::estimate(ctx.app(), ctx.actor()?.org_id, vehicle_id, purpose).await?.into())
    }
}
