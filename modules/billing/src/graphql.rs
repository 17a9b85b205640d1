use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{Context, Enum, Object, SimpleObject};
use chrono::{DateTime, Utc};
use keroxio_core::idempotency::IdempotencyKey;
use keroxio_core::{Access, GqlResult, Page, RequestContext as _, access, connection};
use keroxio_subscription::PlanCode;
use uuid::Uuid;

use crate::model;
use crate::service::{self, Asking};
use crate::telling::euros;

/// How a subscription is, as Stripe sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum BillingStatus {
    /// There never was one.
    None,
    /// It is in its trial: the first payment comes at its end.
    Trialing,
    /// It is paid.
    Active,
    /// The last payment failed, and is tried again.
    PastDue,
    /// The last payment failed, and is not tried again.
    Unpaid,
    /// It is over.
    Canceled,
    /// The first payment was not made.
    Incomplete,
    /// It rests.
    Paused,
}

impl BillingStatus {
    fn of(status: &str) -> Self {
        match status {
            "trialing" => Self::Trialing,
            "active" => Self::Active,
            "past_due" => Self::PastDue,
            "unpaid" => Self::Unpaid,
            "incomplete" | "incomplete_expired" => Self::Incomplete,
            "paused" => Self::Paused,
            _ => Self::Canceled,
        }
    }
}

/// How your organization pays.
#[derive(SimpleObject)]
pub struct Billing {
    /// Whether one can pay on this installation.
    configured: bool,
    /// How the subscription is.
    status: BillingStatus,
    /// What is subscribed to; what was, once it is over.
    plan: Option<PlanCode>,
    /// Begin of the current period.
    current_period_start: Option<DateTime<Utc>>,
    /// End of the current period: the next payment, unless it was cancelled.
    current_period_end: Option<DateTime<Utc>>,
    /// When it ends, once it was cancelled (`resumeSubscription` takes that back).
    cancel_at: Option<DateTime<Utc>>,
    /// When the first payment comes.
    trial_end: Option<DateTime<Utc>>,
    /// Until when the plan stays although a payment failed.
    grace_end: Option<DateTime<Utc>>,
    /// What is wrong with the payment; null when nothing is.
    payment_problem: Option<PaymentProblem>,
}

/// A payment that failed.
#[derive(SimpleObject)]
pub struct PaymentProblem {
    /// What is owed, in cents.
    amount_cents: i64,
    /// The same as it is written in French.
    amount: String,
    /// How often it was tried.
    attempts: i32,
    /// When it is tried next; null: not any more.
    next_attempt_at: Option<DateTime<Utc>>,
    /// What to do, in French.
    message: String,
    /// What to do, in English.
    message_en: String,
}

impl From<model::Invoice> for PaymentProblem {
    fn from(owed: model::Invoice) -> Self {
        Self {
            amount_cents: owed.due_cents,
            amount: euros(owed.due_cents),
            attempts: owed.attempts,
            next_attempt_at: owed.next_attempt_at,
            message: "Le dernier paiement a échoué : changez le moyen de paiement avec openBillingPortal.".to_owned(),
            message_en: "The last payment failed: change the means of payment with openBillingPortal.".to_owned(),
        }
    }
}

impl From<service::Billing> for Billing {
    fn from(billing: service::Billing) -> Self {
        let row = billing.subscription.as_ref();
        Self {
            configured: billing.is_configured,
            status: row.map_or(BillingStatus::None, |row| BillingStatus::of(&row.status)),
            plan: row.and_then(|row| PlanCode::named(row.plan.as_deref()?)),
            current_period_start: row.map(|row| row.period_start),
            current_period_end: row.map(|row| row.period_end),
            cancel_at: row.and_then(|row| row.cancel_at),
            trial_end: row.and_then(|row| row.trial_end),
            grace_end: row.and_then(|row| row.grace_ends_at),
            payment_problem: billing.owed.map(Into::into),
        }
    }
}

/// What became of an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum BillingInvoiceStatus {
    /// It is to be paid.
    Open,
    /// It is paid.
    Paid,
    /// It was taken back.
    Void,
    /// It will not be paid.
    Uncollectible,
}

/// An invoice of your subscription.
#[derive(SimpleObject)]
pub struct BillingInvoice {
    /// Identifier.
    id: Uuid,
    /// Its number.
    number: Option<String>,
    /// What became of it.
    status: BillingInvoiceStatus,
    /// Without tax, in cents.
    net_cents: i64,
    /// With tax, in cents.
    total_cents: i64,
    /// The same as it is written in French.
    total: String,
    /// What was paid, in cents.
    paid_cents: i64,
    /// ISO 4217 code.
    currency: String,
    /// When it was issued.
    issued_at: DateTime<Utc>,
    /// When it was paid.
    paid_at: Option<DateTime<Utc>>,
    /// Where it is shown and can be paid, at Stripe.
    hosted_url: Option<String>,
    /// Where its PDF is, at Stripe.
    pdf_url: Option<String>,
}

impl From<model::Invoice> for BillingInvoice {
    fn from(row: model::Invoice) -> Self {
        Self {
            id: row.id,
            number: row.number,
            status: match row.status.as_str() {
                "paid" => BillingInvoiceStatus::Paid,
                "void" => BillingInvoiceStatus::Void,
                "uncollectible" => BillingInvoiceStatus::Uncollectible,
                _ => BillingInvoiceStatus::Open,
            },
            net_cents: row.net_cents,
            total_cents: row.total_cents,
            total: euros(row.total_cents),
            paid_cents: row.paid_cents,
            currency: row.currency.to_uppercase(),
            issued_at: row.issued_at,
            paid_at: row.paid_at,
            hosted_url: row.hosted_url,
            pdf_url: row.pdf_url,
        }
    }
}

/// Something that differed from Stripe and was mended.
#[derive(SimpleObject)]
pub struct BillingDifference {
    /// Identifier.
    id: Uuid,
    /// Whose.
    organization_id: Uuid,
    /// The customer at Stripe.
    customer_id: String,
    /// The subscription, invoice or customer at Stripe.
    stripe_id: String,
    /// What differed.
    field: String,
    /// What we had; null: nothing.
    ours: Option<String>,
    /// What Stripe has.
    theirs: Option<String>,
    /// When that was found.
    found_at: DateTime<Utc>,
}

impl From<model::Difference> for BillingDifference {
    fn from(row: model::Difference) -> Self {
        Self {
            id: row.id,
            organization_id: row.org_id,
            customer_id: row.customer_id,
            stripe_id: row.stripe_id,
            field: row.field,
            ours: row.ours,
            theirs: row.theirs,
            found_at: row.found_at,
        }
    }
}

/// A page of Stripe's to go to.
#[derive(SimpleObject)]
pub struct BillingPage {
    /// Its address; it opens for the person who asked, and soon closes.
    url: String,
}

fn asking<'a>(ctx: &'a Context<'_>) -> GqlResult<Asking<'a>> {
    Ok(Asking { actor: ctx.actor()?, key: ctx.data_opt::<IdempotencyKey>() })
}

#[derive(Default)]
pub struct BillingQuery;

#[Object]
impl BillingQuery {
    /// How your organization pays.
    #[graphql(guard = "Access::Money", directive = access::apply(Access::Money))]
    async fn billing(&self, ctx: &Context<'_>) -> GqlResult<Billing> {
        Ok(Box::pin(service::get(ctx.app(), &ctx.actor()?)).await?.into())
    }

    /// Invoices of your organization, the newest first.
    #[graphql(
        guard = "Access::Money",
        directive = access::apply(Access::Money),
        complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity"
    )]
    async fn billing_invoices(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the last row already seen.")] after: Option<String>,
    ) -> GqlResult<Connection<String, BillingInvoice, EmptyFields, EmptyFields>> {
        let page = Page::new(first, after.as_deref())?;
        let rows = Box::pin(service::invoices(ctx.app(), &ctx.actor()?, page)).await?;
        Ok(connection(page, rows.into_iter().map(|row| (row.id, row.into())).collect()))
    }

    /// What the nightly look found different from Stripe and mended, of all organizations, the newest first.
    #[graphql(
        guard = "Access::Staff",
        directive = access::apply(Access::Staff),
        complexity = "first.unwrap_or(20).clamp(1, 100) as usize * child_complexity"
    )]
    async fn billing_differences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Cursor of the last row already seen.")] after: Option<String>,
    ) -> GqlResult<Connection<String, BillingDifference, EmptyFields, EmptyFields>> {
        let page = Page::new(first, after.as_deref())?;
        let rows = Box::pin(service::differences(ctx.app(), page)).await?;
        Ok(connection(page, rows.into_iter().map(|row| (row.id, row.into())).collect()))
    }
}

#[derive(Default)]
pub struct BillingMutation;

#[Object]
impl BillingMutation {
    /// Begins a checkout at Stripe; what is left of the trial stays free. `ALREADY_SUBSCRIBED` where there is a
    /// subscription, `BILLING_NOT_CONFIGURED` where one cannot pay.
    #[graphql(guard = "Access::Money", directive = access::apply(Access::Money))]
    async fn create_checkout(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to subscribe to.")] plan: PlanCode,
    ) -> GqlResult<BillingPage> {
        let url = Box::pin(service::check_out(ctx.app(), asking(ctx)?, plan)).await?;
        Ok(BillingPage { url })
    }

    /// Opens the portal at Stripe: means of payment, address, VAT number, invoices.
    #[graphql(guard = "Access::Money", directive = access::apply(Access::Money))]
    async fn open_billing_portal(&self, ctx: &Context<'_>) -> GqlResult<BillingPage> {
        let url = Box::pin(service::portal(ctx.app(), asking(ctx)?)).await?;
        Ok(BillingPage { url })
    }

    /// Changes the plan now. What is left of the old one is credited; the difference to a dearer one is charged at once.
    #[graphql(guard = "Access::Money", directive = access::apply(Access::Money))]
    async fn change_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new plan.")] plan: PlanCode,
    ) -> GqlResult<Billing> {
        Ok(Box::pin(service::change(ctx.app(), asking(ctx)?, plan)).await?.into())
    }

    /// Cancels the subscription at the end of what is paid for. Nothing is deleted then.
    #[graphql(guard = "Access::Money", directive = access::apply(Access::Money))]
    async fn cancel_subscription(&self, ctx: &Context<'_>) -> GqlResult<Billing> {
        Ok(Box::pin(service::cancel(ctx.app(), asking(ctx)?, true)).await?.into())
    }

    /// Takes a cancellation back, as long as the subscription has not ended.
    #[graphql(guard = "Access::Money", directive = access::apply(Access::Money))]
    async fn resume_subscription(&self, ctx: &Context<'_>) -> GqlResult<Billing> {
        Ok(Box::pin(service::cancel(ctx.app(), asking(ctx)?, false)).await?.into())
    }

    /// Does the effects of stored events again, each read anew from Stripe; answers how many events that were.
    #[graphql(guard = "Access::Staff", directive = access::apply(Access::Staff))]
    async fn replay_billing_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Those that came from this moment on.")] since: DateTime<Utc>,
        #[graphql(desc = "Those of one customer at Stripe.")] customer_id: Option<String>,
    ) -> GqlResult<usize> {
        Ok(Box::pin(service::replay(ctx.app(), since, customer_id.as_deref())).await?)
    }

    /// Compares every customer with Stripe now, as is done every night.
    #[graphql(guard = "Access::Staff", directive = access::apply(Access::Staff))]
    async fn reconcile_billing(&self, ctx: &Context<'_>) -> GqlResult<bool> {
        Box::pin(service::reconcile(ctx.app())).await?;
        Ok(true)
    }
}
