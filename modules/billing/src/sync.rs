//! Makes our rows of a customer equal to Stripe's.

use chrono::{DateTime, Utc};
use keroxio_core::{App, Error, Tx};
use keroxio_subscription::{Catalogue, Paid, PlanCode, service as plans};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::model::{self, Customer, Difference, Invoice, Subscription};
use crate::settings::Settings;
use crate::stripe::objects::{self, moment};
use crate::stripe::{Stripe, Trouble};
use crate::{DIFFERENCES, telling};

/// Why a customer could not be looked at.
#[derive(Debug)]
pub enum Failure {
    Ours(Error),
    Stripe(Trouble),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        Self::Ours(error.into())
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self::Stripe(trouble)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Ours(error) => error,
            Failure::Stripe(trouble) => trouble.into(),
        }
    }
}

impl From<Failure> for keroxio_core::JobError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Ours(error) => error.into(),
            Failure::Stripe(trouble) => trouble.into(),
        }
    }
}

/// What Stripe says of a customer.
struct Picture {
    is_deleted: bool,
    subscriptions: Vec<Subscription>,
    invoices: Vec<Invoice>,
}

/// Reads a customer and writes what became of them, uncommitted; none where there is nothing to write. Whoever only looks
/// whether all is well (`audit`) also notes what was not.
pub async fn customer(app: &App, customer: &str, audit: bool) -> Result<Option<Tx>, Failure> {
    let settings = app.get::<Settings>()?;
    let stripe = settings.stripe()?;
    let begun = model::begin_read(&mut *app.conn().await?, customer).await?;
    let Some(begun) = begun else { return Ok(None) };
    let picture = read(stripe, &settings, &begun, app.now()).await?;
    let mut tx = app.begin().await?;
    let locked = model::lock_customer(&mut tx, customer).await?;
    // A later read was quicker, or the organization is gone.
    let Some(known) = locked.filter(|known| known.applied < begun.asked) else { return Ok(None) };
    if audit {
        note_differences(&mut tx, &known, &picture).await?;
    }
    write(&mut tx, &Customer { applied: begun.asked, ..known }, &picture).await?;
    Ok(Some(tx))
}

async fn read(stripe: &Stripe, settings: &Settings, of: &Customer, now: DateTime<Utc>) -> Result<Picture, Trouble> {
    let id = of.customer_id.as_str();
    let is_deleted = match stripe.customer(id).await {
        Ok(customer) => customer.deleted == Some(true),
        Err(Trouble::Missing) => true,
        Err(trouble) => return Err(trouble),
    };
    let invoices = known(stripe.invoices(id).await)?;
    let subscriptions = known(stripe.subscriptions(id).await)?;
    let catalogue = Catalogue::at(now);
    let invoices: Vec<Invoice> = invoices.into_iter().map(|invoice| invoice_row(of.org_id, invoice)).collect();
    let subscriptions = subscriptions
        .into_iter()
        .filter_map(|subscription| subscription_row(of.org_id, subscription, &invoices, settings, catalogue))
        .collect();
    Ok(Picture { is_deleted, subscriptions, invoices })
}

/// Of a customer that is not known there is nothing.
fn known<T>(answer: Result<Vec<T>, Trouble>) -> Result<Vec<T>, Trouble> {
    match answer {
        Err(Trouble::Missing) => Ok(Vec::new()),
        answer => answer,
    }
}

fn invoice_row(org_id: Uuid, invoice: objects::Invoice) -> Invoice {
    Invoice {
        id: id_of(&invoice.id, moment(invoice.created)),
        org_id,
        subscription_id: invoice.subscription(),
        stripe_id: invoice.id,
        number: invoice.number,
        status: invoice.status.unwrap_or_else(|| "draft".to_owned()),
        currency: invoice.currency,
        net_cents: invoice.subtotal,
        total_cents: invoice.total,
        paid_cents: invoice.amount_paid,
        due_cents: invoice.amount_remaining,
        attempts: i32::try_from(invoice.attempt_count).unwrap_or(i32::MAX),
        issued_at: moment(invoice.created),
        finalized_at: invoice.status_transitions.finalized_at.map(moment),
        paid_at: invoice.status_transitions.paid_at.map(moment),
        next_attempt_at: invoice.next_payment_attempt.map(moment),
        hosted_url: invoice.hosted_invoice_url,
        pdf_url: invoice.invoice_pdf,
    }
}

/// The same identifier whenever a row is made anew, in the order in which invoices were issued.
fn id_of(stripe_id: &str, issued_at: DateTime<Utc>) -> Uuid {
    let mut tail = [0; 10];
    tail.iter_mut().zip(Sha256::digest(stripe_id)).for_each(|(to, from)| *to = from);
    let millis = u64::try_from(issued_at.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
}

fn subscription_row(
    org_id: Uuid,
    subscription: objects::Subscription,
    invoices: &[Invoice],
    settings: &Settings,
    catalogue: &Catalogue,
) -> Option<Subscription> {
    let item = subscription.items.data.into_iter().next()?;
    let plan = settings.plan_of(catalogue, &item.price.id, item.price.lookup_key.as_deref());
    if plan.is_none() {
        tracing::warn!(price = item.price.id, "a subscription has a price that is none of ours");
    }
    let (period_start, period_end) = (moment(item.current_period_start), moment(item.current_period_end));
    let owed = invoices.iter().filter(|invoice| {
        invoice.subscription_id.as_ref() == Some(&subscription.id)
            && ["open", "uncollectible"].contains(&invoice.status.as_str())
    });
    let is_behind = ["past_due", "unpaid"].contains(&subscription.status.as_str());
    let since = owed.map(|invoice| invoice.finalized_at.unwrap_or(invoice.issued_at)).min().unwrap_or(period_start);
    let cancel_at = subscription.cancel_at.map(moment);
    Some(Subscription {
        stripe_id: subscription.id,
        org_id,
        status: subscription.status,
        plan: plan.map(|plan| plan.name().to_owned()),
        price_id: item.price.id,
        item_id: item.id,
        period_start,
        period_end,
        trial_end: subscription.trial_end.map(moment),
        cancel_at: cancel_at.or(subscription.cancel_at_period_end.then_some(period_end)),
        ended_at: subscription.ended_at.map(moment),
        grace_ends_at: is_behind.then(|| since + catalogue.grace()),
        created_at: moment(subscription.created),
    })
}

/// The one that counts: the newest that gives a plan.
pub fn current(subscriptions: &[Subscription]) -> Option<&Subscription> {
    let live = subscriptions.iter().filter(|subscription| subscription.is_live());
    live.max_by_key(|subscription| (subscription.created_at, &subscription.stripe_id))
}

async fn write(tx: &mut Tx, customer: &Customer, picture: &Picture) -> Result<(), Failure> {
    let org = customer.org_id;
    let before = model::subscriptions(tx, org).await?;
    for subscription in &picture.subscriptions {
        model::save_subscription(tx, subscription).await?;
    }
    for invoice in &picture.invoices {
        model::save_invoice(tx, invoice).await?;
    }
    let now = tx.app().now();
    for lost in lost(&before, picture) {
        let over = Subscription { status: "canceled".to_owned(), ended_at: Some(now), ..lost.clone() };
        model::save_subscription(tx, &over).await?;
    }
    let deleted_at = customer.deleted_at.or(picture.is_deleted.then_some(now));
    model::applied(tx, &Customer { deleted_at, ..customer.clone() }).await?;
    let current = current(&picture.subscriptions).filter(|_| !picture.is_deleted);
    let paid = current.and_then(|row| {
        let plan = row.plan.as_deref().and_then(PlanCode::named)?;
        Some(Paid {
            plan,
            period_start: row.period_start,
            period_end: row.period_end,
            grace_ends_at: row.grace_ends_at,
            ends_at: row.cancel_at,
        })
    });
    plans::pay(tx, org, paid.as_ref()).await?;
    for invoice in &picture.invoices {
        telling::of_invoice(tx, invoice, current).await?;
    }
    if current.is_none()
        && let Some(ended) = before.iter().find(|row| row.is_live())
    {
        telling::of_end(tx, org, &ended.stripe_id).await?;
    }
    Ok(())
}

/// What gives a plan by our rows, and is not at Stripe.
fn lost<'a>(ours: &'a [Subscription], picture: &'a Picture) -> impl Iterator<Item = &'a Subscription> {
    let is_there = |row: &Subscription| picture.subscriptions.iter().any(|theirs| theirs.stripe_id == row.stripe_id);
    ours.iter().filter(move |row| row.is_live() && !is_there(row))
}

async fn note_differences(tx: &mut Tx, customer: &Customer, picture: &Picture) -> Result<(), Failure> {
    let now = tx.app().now();
    let mut found: Vec<Difference> = Vec::new();
    let mut compare = |stripe_id: &str, field: &'static str, ours: Option<String>, theirs: Option<String>| {
        if ours == theirs {
            return;
        }
        metrics::counter!(DIFFERENCES, "field" => field).increment(1);
        tracing::warn!(stripe_id, field, ?ours, ?theirs, "differs from Stripe");
        found.push(Difference {
            id: Uuid::now_v7(),
            org_id: customer.org_id,
            customer_id: customer.customer_id.clone(),
            stripe_id: stripe_id.to_owned(),
            field: field.to_owned(),
            ours,
            theirs,
            found_at: now,
        });
    };
    let subscriptions = model::subscriptions(tx, customer.org_id).await?;
    for theirs in &picture.subscriptions {
        let ours = subscriptions.iter().find(|row| row.stripe_id == theirs.stripe_id);
        let id = theirs.stripe_id.as_str();
        compare(id, "status", ours.map(|row| row.status.clone()), Some(theirs.status.clone()));
        let Some(ours) = ours else { continue };
        compare(id, "price", Some(ours.price_id.clone()), Some(theirs.price_id.clone()));
        let text = |moment: Option<DateTime<Utc>>| moment.map(|moment| moment.to_rfc3339());
        compare(id, "period_end", text(Some(ours.period_end)), text(Some(theirs.period_end)));
        compare(id, "cancel_at", text(ours.cancel_at), text(theirs.cancel_at));
    }
    for ours in lost(&subscriptions, picture) {
        compare(&ours.stripe_id, "status", Some(ours.status.clone()), None);
    }
    let invoices = model::invoices(tx, customer.org_id).await?;
    for theirs in &picture.invoices {
        let ours = invoices.iter().find(|row| row.stripe_id == theirs.stripe_id);
        let id = theirs.stripe_id.as_str();
        compare(id, "invoice_status", ours.map(|row| row.status.clone()), Some(theirs.status.clone()));
        if let Some(ours) = ours {
            compare(id, "invoice_paid", Some(ours.paid_cents.to_string()), Some(theirs.paid_cents.to_string()));
        }
    }
    let deleted = |is: bool| Some(is.to_string());
    compare(&customer.customer_id, "deleted", deleted(customer.deleted_at.is_some()), deleted(picture.is_deleted));
    if !found.is_empty() {
        model::insert_differences(tx, &found).await?;
    }
    Ok(())
}
