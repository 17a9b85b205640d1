use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, NaiveDate, Utc};
use keroxio_core::{GqlResult, Money, RequestContext as _, RequireUser};
use keroxio_plugin_sdk::Refusal;
use uuid::Uuid;

use crate::error::refusal_sentences;
use crate::model::Estimate;
use crate::service;

/// How much one fact moves the price.
#[derive(SimpleObject)]
pub struct PriceFactor {
    /// Stable name: `mileage`, `age`, `version`, `gearbox`, `fuel`, `power`.
    fact: String,
    /// Signed amount against the same car with a neutral value of that fact.
    amount: Money,
}

/// Why there is no price.
#[derive(SimpleObject)]
pub struct PriceRefusal {
    /// Stable reason: `UNKNOWN_MAKE`, `UNKNOWN_MODEL`, `OUT_OF_RANGE`.
    reason: &'static str,
    /// What to do, in French.
    message: String,
    /// The same in English.
    message_en: String,
}

impl From<&Refusal> for PriceRefusal {
    fn from(refusal: &Refusal) -> Self {
        let (message, message_en) = refusal_sentences(refusal);
        let reason = match refusal {
            Refusal::UnknownMake { .. } => "UNKNOWN_MAKE",
            Refusal::UnknownModel { .. } => "UNKNOWN_MODEL",
            Refusal::OutOfRange { .. } => "OUT_OF_RANGE",
        };
        Self { reason, message, message_en }
    }
}

/// An asking price on the French market, with its range, or the reason why there is none.
#[derive(SimpleObject)]
pub struct PriceEstimate {
    /// Identifier.
    id: Uuid,
    /// The car.
    vehicle_id: Uuid,
    /// Low end of the interval meant to hold 80 % of asking prices.
    low: Option<Money>,
    /// Middle estimate.
    mid: Option<Money>,
    /// High end of the interval.
    high: Option<Money>,
    /// Measured share of held-out ads, with an interval this wide, priced within 10 % of the middle; 0 to 1.
    confidence: Option<f64>,
    /// Advertisements of this make and model behind the answer.
    sample_size: Option<i32>,
    /// Last day of the data behind the answer.
    data_until: Option<NaiveDate>,
    /// What moves the price.
    contributions: Vec<PriceFactor>,
    /// Why there is no price; null when there is one.
    refusal: Option<PriceRefusal>,
    /// When the estimate was made.
    created_at: DateTime<Utc>,
}

impl From<Estimate> for PriceEstimate {
    fn from(estimate: Estimate) -> Self {
        let contributions = estimate
            .contributions
            .into_iter()
            .map(|c| PriceFactor { fact: c.fact, amount: Money::euros(c.euros.round().clamp(-1e8, 1e8) as i32) })
            .collect();
        Self {
            id: estimate.id,
            vehicle_id: estimate.vehicle_id,
            low: estimate.low.map(Money::euros),
            mid: estimate.mid.map(Money::euros),
            high: estimate.high.map(Money::euros),
            confidence: estimate.confidence,
            sample_size: estimate.sample_size,
            data_until: estimate.data_until,
            contributions,
            refusal: estimate.refusal.as_ref().map(PriceRefusal::from),
            created_at: estimate.created_at,
        }
    }
}

#[derive(Default)]
pub struct PricingQuery;

#[Object]
impl PricingQuery {
    /// A stored estimate of your organization.
    #[graphql(guard = "RequireUser")]
    async fn price_estimate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its identifier.")] id: Uuid,
    ) -> GqlResult<PriceEstimate> {
        Ok(service::get(ctx.app(), ctx.actor()?.org_id, id).await?.into())
    }
}

#[derive(Default)]
pub struct PricingMutation;

#[Object]
impl PricingMutation {
    /// Estimates the price of a car now and keeps the evidence. `FACTS_MISSING` names what is still needed.
    #[graphql(guard = "RequireUser")]
    async fn estimate_price(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The car.")] vehicle_id: Uuid,
    ) -> GqlResult<PriceEstimate> {
        Ok(service::estimate(ctx.app(), ctx.actor()?.org_id, vehicle_id).await?.into())
    }
}
