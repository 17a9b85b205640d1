use chrono::{DateTime, Duration, Utc};
use diesel_async::AsyncPgConnection;
use keroxio_core::idempotency::IdempotencyKey;
use keroxio_core::{Actor, App, Page, Result, Right, Tx};
use keroxio_subscription::{Catalogue, PlanCode, service as plans};
use uuid::Uuid;

use crate::jobs::{CloseCustomer, Reconcile};
use crate::model::{self, Customer, Difference, Invoice, Subscription};
use crate::settings::{Back, Settings};
use crate::stripe::{NewCheckout, Trouble};
use crate::{error, http, sync};

/// Stripe takes the end of a trial only if it is further away.
const SHORTEST_TRIAL: Duration = Duration::hours(48);

/// Whom Stripe is asked for, by whom, and under which key.
pub(crate) struct Asking<'a> {
    pub actor: Actor,
    pub key: Option<&'a IdempotencyKey>,
}

impl Asking<'_> {
    /// The key of one thing that is asked of Stripe: that of the client's request, so that the same request is the same
    /// there too.
    fn key(&self, what: &str) -> String {
        let given = self.key.map_or_else(|| Uuid::now_v7().simple().to_string(), |key| key.0.clone());
        // Stripe takes 255 characters.
        let given: String = given.chars().take(180).collect();
        format!("{what}:{}:{given}", self.actor.org_id.simple())
    }
}

async fn current(conn: &mut AsyncPgConnection, org: Uuid) -> Result<Option<Subscription>> {
    Ok(sync::current(&model::subscriptions(conn, org).await?).cloned())
}

/// The customer of an organization, made where there is none.
async fn customer(app: &App, settings: &Settings, asking: &Asking<'_>) -> Result<Customer> {
    let org = asking.actor.org_id;
    let mut conn = app.conn().await?;
    let known = model::customer(&mut conn, org).await?;
    if let Some(known) = known.clone().filter(|known| known.deleted_at.is_none()) {
        return Ok(known);
    }
    let organization = keroxio_auth::service::organization_in(&mut conn, org).await?;
    let address = keroxio_auth::service::address_of(&mut conn, asking.actor.user_id).await?;
    drop(conn);
    // One customer, however many ask at the same time; another one after one that was deleted.
    let generation = known.and_then(|known| known.deleted_at).map_or(0, |at| at.timestamp());
    let key = format!("customer:{}:{generation}", org.simple());
    let email = address.as_ref().map(|(email, _)| email.as_str());
    let made = settings.stripe()?.create_customer(&org.to_string(), &organization.name, email, &key).await?;
    let row = Customer {
        org_id: org,
        customer_id: made.id,
        open_session: None,
        asked: 0,
        applied: 0,
        created_by: asking.actor.user_id,
        created_at: app.now(),
        deleted_at: None,
    };
    let mut tx = app.begin().await?;
    model::upsert_customer(&mut tx, &row).await?;
    let kept = model::customer(&mut tx, org).await?.unwrap_or(row);
    tx.commit().await?;
    Ok(kept)
}

async fn price(settings: &Settings, plan: PlanCode, now: DateTime<Utc>) -> Result<String> {
    if let Some(price) = settings.price(plan) {
        return Ok(price.to_owned());
    }
    let lookup_key = Catalogue::at(now).plan(plan).lookup_key.as_deref().ok_or_else(error::not_sold)?;
    let found = settings.stripe()?.price_by_key(lookup_key).await?;
    found.map(|price| price.id).ok_or_else(|| {
        tracing::error!(lookup_key, "Stripe has no active price of this lookup key");
        error::not_configured()
    })
}

/// Begins a checkout; answers where to go.
pub(crate) async fn check_out(app: &App, asking: Asking<'_>, plan: PlanCode) -> Result<String> {
    asking.actor.may(Right::Money)?;
    let settings = app.get::<Settings>()?;
    let stripe = settings.stripe()?;
    if plan == PlanCode::Free {
        return Err(error::not_sold());
    }
    let org = asking.actor.org_id;
    let (known, standing) = {
        let mut conn = app.conn().await?;
        (current(&mut conn, org).await?, plans::standing(app, &mut conn, org).await?)
    };
    if known.is_some() {
        return Err(error::already_subscribed());
    }
    let price = price(&settings, plan, app.now()).await?;
    let customer = customer(app, &settings, &asking).await?;
    // Nobody pays for what they have for nothing; a second trial there is not.
    let trial_end = standing.trial_ends_at;
    let trial_end = (trial_end > app.now() + SHORTEST_TRIAL).then(|| trial_end.timestamp());
    let new = NewCheckout {
        customer: &customer.customer_id,
        org: org.to_string(),
        price: &price,
        plan: plan.name(),
        trial_end,
        tax: settings.tax,
        success_url: settings.back(Back::Paid),
        cancel_url: settings.back(Back::Cancelled),
    };
    let session = stripe.create_checkout(new, &asking.key("checkout")).await?;
    if let Some(open) = customer.open_session.filter(|open| *open != session.id) {
        // Two windows must not become two subscriptions. One that was paid or is over refuses.
        match stripe.expire_checkout(&open).await {
            Ok(_) | Err(Trouble::Refused { .. } | Trouble::Missing) => {}
            Err(trouble) => return Err(trouble.into()),
        }
    }
    model::set_session(&mut *app.conn().await?, org, &session.id).await?;
    session.url.ok_or_else(|| error::refused(None))
}

/// Opens Stripe's portal: means of payment, invoices, VAT number; answers where to go.
pub(crate) async fn portal(app: &App, asking: Asking<'_>) -> Result<String> {
    asking.actor.may(Right::Money)?;
    let settings = app.get::<Settings>()?;
    let stripe = settings.stripe()?;
    let known = model::customer(&mut *app.conn().await?, asking.actor.org_id).await?;
    let known = known.filter(|known| known.deleted_at.is_none()).ok_or_else(error::not_subscribed)?;
    let back = settings.back(Back::Portal);
    let session = stripe.open_portal(&known.customer_id, &back, &asking.key("portal")).await?;
    session.url.ok_or_else(|| error::refused(None))
}

/// Another plan for what is left of the period.
pub(crate) async fn change(app: &App, asking: Asking<'_>, plan: PlanCode) -> Result<Billing> {
    asking.actor.may(Right::Money)?;
    let settings = app.get::<Settings>()?;
    let stripe = settings.stripe()?;
    if plan == PlanCode::Free {
        return Err(error::not_sold());
    }
    let known = current(&mut *app.conn().await?, asking.actor.org_id).await?.ok_or_else(error::not_subscribed)?;
    let price = price(&settings, plan, app.now()).await?;
    if known.price_id != price {
        let before = known.plan.as_deref().and_then(PlanCode::named);
        let is_dearer = before.is_none_or(|before| before < plan);
        let of = (known.stripe_id.as_str(), known.item_id.as_str());
        stripe.change_price(of, (&price, plan.name()), is_dearer, &asking.key("change")).await?;
    }
    refreshed(app, &asking.actor).await
}

/// Cancels at the end of the period, or takes that back.
pub(crate) async fn cancel(app: &App, asking: Asking<'_>, cancel: bool) -> Result<Billing> {
    asking.actor.may(Right::Money)?;
    let settings = app.get::<Settings>()?;
    let stripe = settings.stripe()?;
    let known = current(&mut *app.conn().await?, asking.actor.org_id).await?.ok_or_else(error::not_subscribed)?;
    let what = if cancel { "cancel" } else { "resume" };
    stripe.cancel_at_period_end(&known.stripe_id, cancel, &asking.key(what)).await?;
    refreshed(app, &asking.actor).await
}

/// What Stripe says now.
async fn refreshed(app: &App, actor: &Actor) -> Result<Billing> {
    let known = model::customer(&mut *app.conn().await?, actor.org_id).await?;
    if let Some(known) = known
        && let Some(tx) = sync::customer(app, &known.customer_id, false).await?
    {
        tx.commit().await?;
    }
    get(app, actor).await
}

/// How an organization pays.
pub(crate) struct Billing {
    pub is_configured: bool,
    /// The one that counts, or the last one there was.
    pub subscription: Option<Subscription>,
    /// What is owed.
    pub owed: Option<Invoice>,
}

pub(crate) async fn get(app: &App, actor: &Actor) -> Result<Billing> {
    actor.may(Right::Money)?;
    let is_configured = app.get::<Settings>()?.is_configured();
    let mut conn = app.conn().await?;
    let subscriptions = model::subscriptions(&mut conn, actor.org_id).await?;
    let subscription = sync::current(&subscriptions).or(subscriptions.first()).cloned();
    let invoices = model::invoices(&mut conn, actor.org_id).await?;
    let owed = invoices.into_iter().find(|invoice| invoice.status == "open" && invoice.attempts > 0);
    Ok(Billing { is_configured, subscription, owed })
}

pub(crate) async fn invoices(app: &App, actor: &Actor, page: Page) -> Result<Vec<Invoice>> {
    actor.may(Right::Money)?;
    Ok(model::invoice_page(&mut *app.conn().await?, actor.org_id, page).await?)
}

/// For staff.
pub(crate) async fn differences(app: &App, page: Page) -> Result<Vec<Difference>> {
    Ok(model::differences(&mut *app.conn().await?, page).await?)
}

/// Does the effects of stored events again; answers how many events that were. For staff.
pub(crate) async fn replay(app: &App, since: DateTime<Utc>, customer: Option<&str>) -> Result<usize> {
    app.get::<Settings>()?.stripe()?;
    let mut tx = app.begin().await?;
    let mut followed = 0;
    for event in model::events_since(&mut tx, since, customer).await? {
        followed += usize::from(http::follow(&mut tx, &event).await?);
    }
    tx.commit().await?;
    Ok(followed)
}

/// Looks at every customer now, as every night. For staff.
pub(crate) async fn reconcile(app: &App) -> Result<()> {
    app.get::<Settings>()?.stripe()?;
    app.enqueue(&Reconcile).await.map(drop)
}

/// An organization is erased: what it pays for ends once that is committed. Invoices stay with Stripe, whose duty they are.
pub async fn erase(tx: &mut Tx, org: Uuid) -> Result<()> {
    let known = model::customer(tx, org).await?.filter(|known| known.deleted_at.is_none());
    if let Some(known) = known.filter(|_| tx.app().get::<Settings>().is_ok_and(|settings| settings.is_configured())) {
        tx.enqueue(&CloseCustomer { customer_id: known.customer_id }).await?;
    }
    Ok(())
}
