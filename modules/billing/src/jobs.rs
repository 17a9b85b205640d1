use std::time::Duration;

use chrono::Months;
use keroxio_core::{App, BackgroundJob, Effects, JobError, Priority, Provider, Queue};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::{self, Note as Row};
use crate::settings::Settings;
use crate::stripe::Trouble;
use crate::{sync, telling};

const STRIPE: Provider = Provider { name: "stripe", at_once: 8 };
/// Months for which events are kept.
const KEPT: u32 = 25;

/// Makes our rows of a customer equal to Stripe's.
#[derive(Serialize, Deserialize)]
pub struct Sync {
    pub customer_id: String,
    pub org_id: Uuid,
    /// The nightly look: notes what was different.
    pub audit: bool,
}

impl BackgroundJob for Sync {
    const NAME: &'static str = "billing.sync";
    const QUEUE: Queue = Queue::Outbound;
    const MAX_ATTEMPTS: i32 = 12;
    const TIMEOUT: Duration = Duration::from_secs(120);
    const PROVIDER: Option<Provider> = Some(STRIPE);

    fn org_id(&self) -> Option<Uuid> {
        Some(self.org_id)
    }

    fn ordering_key(&self) -> Option<String> {
        Some(format!("stripe:{}", self.customer_id))
    }

    fn unique_key(&self) -> Option<String> {
        Some(format!("{}:{}", self.customer_id, self.audit))
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        if !app.get::<Settings>()?.is_configured() {
            return Ok(Effects::none());
        }
        Ok(sync::customer(&app, &self.customer_id, self.audit).await?.map_or_else(Effects::none, Into::into))
    }
}

/// What one event says beside the state of its customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    TrialWillEnd,
    Refund,
    Dispute,
}

impl News {
    pub fn of(kind: &str) -> Option<Self> {
        match kind {
            "customer.subscription.trial_will_end" => Some(Self::TrialWillEnd),
            "charge.refunded" => Some(Self::Refund),
            "charge.dispute.created" => Some(Self::Dispute),
            _ => None,
        }
    }
}

/// Notes what happened to one object of Stripe's, which is read anew.
#[derive(Serialize, Deserialize)]
pub struct Note {
    pub news: News,
    pub object_id: String,
    /// None of a dispute, which names its payment only.
    pub customer_id: Option<String>,
    pub org_id: Option<Uuid>,
}

impl BackgroundJob for Note {
    const NAME: &'static str = "billing.note";
    const QUEUE: Queue = Queue::Outbound;
    const MAX_ATTEMPTS: i32 = 12;
    const PROVIDER: Option<Provider> = Some(STRIPE);

    fn org_id(&self) -> Option<Uuid> {
        self.org_id
    }

    fn ordering_key(&self) -> Option<String> {
        Some(format!("stripe:{}", self.customer_id.as_ref().unwrap_or(&self.object_id)))
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let settings = app.get::<Settings>()?;
        if !settings.is_configured() {
            return Ok(Effects::none());
        }
        let stripe = settings.stripe()?;
        let note = |kind: &str, id: String, amount: i64, currency: String, reason: Option<String>| Row {
            id: Uuid::now_v7(),
            org_id: self.org_id.unwrap_or_default(),
            kind: kind.to_owned(),
            stripe_id: id,
            amount_cents: Some(amount),
            currency: Some(currency),
            reason,
            noted_at: app.now(),
        };
        let row = match self.news {
            News::TrialWillEnd => None,
            News::Refund => {
                let charge = stripe.charge(&self.object_id).await?;
                // A second refund of the same payment is another one.
                let id = format!("{}:{}", charge.id, charge.amount_refunded);
                Some(note("refund", id, charge.amount_refunded, charge.currency, None))
            }
            News::Dispute => {
                let dispute = stripe.dispute(&self.object_id).await?;
                let customer = stripe.charge(&dispute.charge).await?.customer.unwrap_or_default();
                let known = model::known_as(&mut *app.conn().await?, &customer).await?;
                let Some(known) = known else { return Ok(Effects::none()) };
                let row = note("dispute", dispute.id, dispute.amount, dispute.currency, Some(dispute.reason));
                Some(Row { org_id: known.org_id, ..row })
            }
        };
        let mut tx = app.begin().await?;
        if let Some(row) = row {
            telling::of_money_back(&mut tx, row).await?;
            return Ok(tx.into());
        }
        // The job before this one has read the subscription.
        let org = self.org_id.unwrap_or_default();
        let known = model::subscriptions(&mut tx, org).await?;
        if let Some(subscription) = known.iter().find(|row| row.stripe_id == self.object_id && row.status == "trialing")
        {
            telling::of_trial_end(&mut tx, org, subscription).await?;
        }
        Ok(tx.into())
    }
}

/// The nightly look at every customer.
#[derive(Serialize, Deserialize)]
pub struct Reconcile;

impl BackgroundJob for Reconcile {
    const NAME: &'static str = "billing.reconcile";
    const PRIORITY: Priority = Priority::Low;
    const TIMEOUT: Duration = Duration::from_secs(300);

    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let mut tx = app.begin().await?;
        let now = app.now();
        model::forget_events(&mut tx, now.checked_sub_months(Months::new(KEPT)).unwrap_or(now)).await?;
        let mut after = None;
        while app.get::<Settings>()?.is_configured() {
            let page = model::customers_after(&mut tx, after).await?;
            after = page.last().map(|customer| customer.org_id);
            if after.is_none() {
                break;
            }
            for customer in page {
                let (customer_id, org_id) = (customer.customer_id, customer.org_id);
                tx.enqueue(&Sync { customer_id, org_id, audit: true }).await?;
            }
        }
        Ok(tx.into())
    }
}

/// Ends what an erased organization pays for.
#[derive(Serialize, Deserialize)]
pub struct CloseCustomer {
    pub customer_id: String,
}

impl BackgroundJob for CloseCustomer {
    const NAME: &'static str = "billing.close_customer";
    const QUEUE: Queue = Queue::Outbound;
    const MAX_ATTEMPTS: i32 = 20;
    const PROVIDER: Option<Provider> = Some(STRIPE);

    /// None: the organization is gone.
    fn org_id(&self) -> Option<Uuid> {
        None
    }

    async fn run(self, app: App) -> Result<Effects, JobError> {
        let settings = app.get::<Settings>()?;
        let stripe = settings.stripe()?;
        let subscriptions = match stripe.subscriptions(&self.customer_id).await {
            Err(Trouble::Missing) => Vec::new(),
            other => other?,
        };
        for subscription in subscriptions {
            if !["canceled", "incomplete_expired"].contains(&subscription.status.as_str()) {
                stripe.cancel_now(&subscription.id).await?;
            }
        }
        Ok(Effects::none())
    }
}
