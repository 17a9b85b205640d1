use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::{Access, GqlResult, RequestContext as _, access};
use uuid::Uuid;

use crate::graphql::VehicleObject;
use crate::registry::{self, Question, Standing};

/// Your access to the vehicle register. The credential itself is told to nobody.
#[derive(SimpleObject)]
pub struct RegistryAccess {
    /// Which register is asked, and by which version of our client.
    register: String,
    /// Since when you have access.
    since: DateTime<Utc>,
    /// When the register last refused your credential: set it again.
    refused_at: Option<DateTime<Utc>>,
    /// Questions asked this month.
    lookups_this_month: i64,
    /// What they cost together, in euro cents, by the price the operator of this installation told.
    cost_this_month_cents: i64,
}

impl From<Standing> for RegistryAccess {
    fn from(standing: Standing) -> Self {
        Self {
            register: standing.register,
            since: standing.access.since,
            refused_at: standing.access.refused_at,
            lookups_this_month: standing.questions,
            cost_this_month_cents: standing.cents,
        }
    }
}

/// What the vehicle register last said of a number.
#[derive(SimpleObject)]
pub struct RegistryAnswer {
    /// Whether it knows the car.
    found: bool,
    /// When it was asked.
    asked_at: DateTime<Utc>,
    /// What that cost, in euro cents.
    cost_cents: i32,
}

impl From<Question> for RegistryAnswer {
    fn from(question: Question) -> Self {
        Self { found: question.car.is_some(), asked_at: question.asked_at, cost_cents: question.cost_cents }
    }
}

#[derive(Default)]
pub struct RegistryQuery;

#[Object]
impl RegistryQuery {
    /// Your access to the vehicle register; null without one, or where this installation has no register.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn registry_access(&self, ctx: &Context<'_>) -> GqlResult<Option<RegistryAccess>> {
        Ok(Box::pin(registry::standing(ctx.app(), &ctx.actor()?)).await?.map(RegistryAccess::from))
    }
}

#[derive(Default)]
pub struct RegistryMutation;

#[Object]
impl RegistryMutation {
    /// Gives us the credential with which you ask the vehicle register. From then on a car is looked up as soon as its
    /// number is known, once in thirty days at most; each question may cost you. `REGISTRY_NOT_CONFIGURED` where this
    /// installation has no register.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings))]
    async fn set_registry_access(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The credential your register gave you, at most 500 characters. It is kept sealed.")]
        credential: String,
    ) -> GqlResult<RegistryAccess> {
        Ok(Box::pin(registry::set_access(ctx.app(), &ctx.actor()?, &credential)).await?.into())
    }

    /// Forgets your credential. Answers whether there was one.
    #[graphql(guard = "Access::Settings", directive = access::apply(Access::Settings))]
    async fn remove_registry_access(&self, ctx: &Context<'_>) -> GqlResult<bool> {
        Ok(Box::pin(registry::remove_access(ctx.app(), &ctx.actor()?)).await?)
    }

    /// Has the vehicle register asked about a car now. What it says comes as facts with the source `REGISTRY`, and never
    /// overwrites yours. `REGISTRY_ACCESS_MISSING` without a credential of yours.
    #[graphql(guard = "Access::Stock", directive = access::apply(Access::Stock))]
    async fn look_up_vehicle(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The car; it needs a French registration number.")] id: Uuid,
    ) -> GqlResult<VehicleObject> {
        Ok(Box::pin(registry::look_up(ctx.app(), &ctx.actor()?, id)).await?.into())
    }
}
