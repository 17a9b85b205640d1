use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::{Access, GqlResult, RequestContext as _, access};

use crate::model::Usage;
use crate::plans::{Catalogue, Plan, PlanCode, Unit};
use crate::service::{self, KEPT_MONTHS};
use crate::standing::PlanStatus;

/// What one can subscribe to.
#[derive(SimpleObject)]
#[graphql(name = "Plan")]
pub struct PlanObject {
    /// Which one.
    code: PlanCode,
    /// Its name in French.
    name: String,
    /// Its name in English.
    name_en: String,
    /// Price of a month without tax, in euro cents; 0: it costs nothing.
    monthly_net_cents: i32,
    /// ISO 4217 code.
    currency: &'static str,
    /// What is to be known of VAT, in French.
    vat_note: String,
    /// The same in English.
    vat_note_en: String,
    /// What it gives.
    limits: Vec<PlanLimit>,
}

/// How much a plan gives of a unit.
#[derive(SimpleObject)]
pub struct PlanLimit {
    /// What is limited.
    unit: Unit,
    /// How many; null: as many as one likes.
    limit: Option<i32>,
}

impl PlanObject {
    pub fn of(plan: &Plan, catalogue: &Catalogue) -> Self {
        Self {
            code: plan.code,
            name: plan.name_fr.clone(),
            name_en: plan.name_en.clone(),
            monthly_net_cents: plan.monthly_cents,
            currency: "EUR",
            vat_note: catalogue.vat_note_fr.clone(),
            vat_note_en: catalogue.vat_note_en.clone(),
            limits: Unit::ALL.map(|unit| PlanLimit { unit, limit: plan.limit(unit) }).into(),
        }
    }
}

/// What your organization may do now.
#[derive(SimpleObject)]
pub struct OrganizationPlan {
    /// The plan.
    plan: PlanObject,
    /// Why it has this plan.
    status: PlanStatus,
    /// When the trial without a card ends, or ended.
    trial_ends_at: DateTime<Utc>,
    /// Begin of the period that is paid for; null while nothing is.
    period_start: Option<DateTime<Utc>>,
    /// End of the period that is paid for.
    period_end: Option<DateTime<Utc>>,
    /// Until when the plan stays although a payment failed; null while none has.
    grace_ends_at: Option<DateTime<Utc>>,
    /// When the plan ends, once it was cancelled.
    ends_at: Option<DateTime<Utc>>,
    /// How much is used of what is limited.
    limits: Vec<PlanLimitUse>,
}

/// How much is used of a unit.
#[derive(SimpleObject)]
pub struct PlanLimitUse {
    /// What is limited.
    unit: Unit,
    /// How many there may be; null: as many as one likes.
    limit: Option<i32>,
    /// Used this month; of ads and seats: held now.
    used: i32,
    /// Whether one more would be refused (`PLAN_LIMIT_REACHED`).
    reached: bool,
}

/// What was used of a unit in a month.
#[derive(SimpleObject)]
pub struct UsageMonth {
    /// The month, for instance `2026-11`.
    month: String,
    /// Distinct units of that month; of ads and seats, the most at the same time.
    used: i32,
}

impl UsageMonth {
    fn of(unit: Unit, usage: &Usage) -> Self {
        let used = if unit.is_monthly() { usage.used } else { usage.peak };
        Self { month: usage.month.format("%Y-%m").to_string(), used }
    }
}

#[derive(Default)]
pub struct PlanQuery;

#[Object]
impl PlanQuery {
    /// What one can subscribe to, the cheapest first.
    #[graphql(directive = access::apply(Access::Open))]
    async fn plans(&self, ctx: &Context<'_>) -> GqlResult<Vec<PlanObject>> {
        let catalogue = Catalogue::at(ctx.app().now());
        Ok(catalogue.plans.iter().map(|plan| PlanObject::of(plan, catalogue)).collect())
    }

    /// The plan of your organization, and how much of it is used. A limit that is reached refuses new work only: what
    /// exists stays online, can be changed, sold and exported.
    #[graphql(guard = "Access::Read", directive = access::apply(Access::Read))]
    async fn plan(&self, ctx: &Context<'_>) -> GqlResult<OrganizationPlan> {
        let app = ctx.app();
        let (standing, used) = Box::pin(service::mine(app, &ctx.actor()?)).await?;
        let limits = used.into_iter().map(|(unit, used)| {
            let limit = standing.limit(unit);
            PlanLimitUse { unit, limit, used, reached: limit.is_some_and(|limit| used >= limit) }
        });
        Ok(OrganizationPlan {
            plan: PlanObject::of(standing.plan, Catalogue::at(app.now())),
            status: standing.status,
            trial_ends_at: standing.trial_ends_at,
            limits: limits.collect(),
            period_start: standing.paid.as_ref().map(|paid| paid.period_start),
            period_end: standing.paid.as_ref().map(|paid| paid.period_end),
            grace_ends_at: standing.paid.as_ref().and_then(|paid| paid.grace_ends_at),
            ends_at: standing.paid.as_ref().and_then(|paid| paid.ends_at),
        })
    }

    /// What your organization used of a unit in the last months, the newest first.
    #[graphql(
        guard = "Access::Read",
        directive = access::apply(Access::Read),
        complexity = "months.unwrap_or(12).clamp(1, 25) as usize * child_complexity"
    )]
    async fn usage(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of what.")] unit: Unit,
        #[graphql(desc = "How many months, 1 to 25; 12 by default.")] months: Option<i32>,
    ) -> GqlResult<Vec<UsageMonth>> {
        let months = u32::try_from(months.unwrap_or(12)).unwrap_or(1).clamp(1, KEPT_MONTHS);
        let history = Box::pin(service::history(ctx.app(), &ctx.actor()?, unit, months)).await?;
        Ok(history.iter().map(|usage| UsageMonth::of(unit, usage)).collect())
    }
}
