//! Stripe, and nobody else in this crate knows its client.

pub mod objects;

use std::time::Duration;

use keroxio_core::metrics::{Call, outbound};
use keroxio_core::{Error, JobError};
use serde_json::{Value, json};
use stripe::{Client, ClientBuilder, IdempotencyKey, RequestStrategy, StripeError};
use stripe_client_core::{RequestBuilder, StripeMethod};

use crate::error;
use objects::{Charge, Customer, Dispute, Invoice, List, Price, Session, Subscription};

const TIMEOUT: Duration = Duration::from_secs(20);
/// Rows of a page; the most that Stripe gives.
const PAGE: usize = 100;
/// Pages of a list that are read at most.
const PAGES: usize = 20;

#[derive(Clone)]
pub struct Stripe(Client);

/// Why Stripe did not do what it was asked.
#[derive(Debug)]
pub enum Trouble {
    /// It will perhaps do it later.
    Passing(StripeError),
    /// It knows no such thing.
    Missing,
    /// It would refuse again.
    Refused { code: Option<String>, cause: StripeError },
}

impl From<StripeError> for Trouble {
    fn from(cause: StripeError) -> Self {
        match &cause {
            StripeError::Stripe(_, 404) => Self::Missing,
            StripeError::Stripe(_, 401 | 409 | 424 | 429 | 500..) => Self::Passing(cause),
            StripeError::Stripe(why, _) => {
                let code = why.code.as_ref().map(|code| code.as_str().to_owned());
                let code = why.decline_code.clone().or(code);
                Self::Refused { code, cause }
            }
            _ => Self::Passing(cause),
        }
    }
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Passing(cause) => Self::unavailable(cause),
            Trouble::Missing => error::refused(Some("resource_missing".to_owned())),
            Trouble::Refused { code, cause } => {
                tracing::warn!("Stripe refused: {cause}");
                error::refused(code)
            }
        }
    }
}

impl From<Trouble> for JobError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Passing(cause) => Self::Retry(cause.into()),
            Trouble::Missing => Self::Discard(anyhow::anyhow!("Stripe knows no such thing")),
            Trouble::Refused { cause, .. } => Self::Discard(cause.into()),
        }
    }
}

/// What came of a call; that there is no such thing is an answer.
fn call<T>(answer: &Result<T, StripeError>) -> Call {
    match answer {
        Ok(_) | Err(StripeError::Stripe(_, 404)) => Call::Ok,
        Err(StripeError::Stripe(_, 401 | 409 | 424 | 429 | 500..)) => Call::Failed,
        Err(StripeError::Stripe(..)) => Call::Refused,
        Err(_) => Call::Failed,
    }
}

type Answer<T> = Result<T, Trouble>;

/// What a checkout is begun with.
pub struct NewCheckout<'a> {
    pub customer: &'a str,
    pub org: String,
    pub price: &'a str,
    pub plan: &'a str,
    pub trial_end: Option<i64>,
    pub tax: bool,
    pub success_url: String,
    pub cancel_url: String,
}

impl Stripe {
    /// # Errors
    /// For an address that is none, or a key that no header can carry.
    pub fn new(key: &str, base: Option<&str>) -> Result<Self, StripeError> {
        let builder = ClientBuilder::new(key).timeout(TIMEOUT);
        let builder = match base {
            // The client adds `v1` to it.
            Some(base) => builder.url(format!("{}/", base.trim_end_matches('/'))),
            None => builder,
        };
        builder.build().map(Self)
    }

    async fn ask<T: miniserde::Deserialize>(&self, request: RequestBuilder, key: Option<&str>) -> Answer<T> {
        let request = request.customize::<T>();
        let request = match key.map(IdempotencyKey::new) {
            Some(Ok(key)) => request.request_strategy(RequestStrategy::Idempotent(key)),
            _ => request,
        };
        Ok(outbound("stripe", request.send(&self.0), call).await?)
    }

    async fn get<T: miniserde::Deserialize>(&self, path: String) -> Answer<T> {
        self.ask(RequestBuilder::new(StripeMethod::Get, path), None).await
    }

    async fn post<T: miniserde::Deserialize>(&self, path: String, form: &Value, key: &str) -> Answer<T> {
        self.ask(RequestBuilder::new(StripeMethod::Post, path).form(form), Some(key)).await
    }

    async fn list<T: miniserde::Deserialize>(&self, path: &str, filter: Value, id: fn(&T) -> &str) -> Answer<Vec<T>> {
        let mut all: Vec<T> = Vec::new();
        for _ in 0..PAGES {
            let mut query = filter.clone();
            query["limit"] = json!(PAGE);
            if let Some(last) = all.last() {
                query["starting_after"] = json!(id(last));
            }
            let request = RequestBuilder::new(StripeMethod::Get, path).query(&query);
            let page: List<T> = self.ask(request, None).await?;
            let is_last = !page.has_more || page.data.is_empty();
            all.extend(page.data);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    pub async fn create_customer(&self, org: &str, name: &str, email: Option<&str>, key: &str) -> Answer<Customer> {
        let mut form = json!({ "name": name, "metadata": { "org_id": org }, "preferred_locales": ["fr"] });
        if let Some(email) = email {
            form["email"] = json!(email);
        }
        self.post("/customers".to_owned(), &form, key).await
    }

    pub async fn customer(&self, id: &str) -> Answer<Customer> {
        self.get(format!("/customers/{id}")).await
    }

    /// All of a customer's, ended ones among them, the newest first.
    pub async fn subscriptions(&self, customer: &str) -> Answer<Vec<Subscription>> {
        let filter = json!({ "customer": customer, "status": "all" });
        self.list("/subscriptions", filter, |subscription: &Subscription| &subscription.id).await
    }

    /// All of a customer's, the newest first.
    pub async fn invoices(&self, customer: &str) -> Answer<Vec<Invoice>> {
        self.list("/invoices", json!({ "customer": customer }), |invoice: &Invoice| &invoice.id).await
    }

    pub async fn price_by_key(&self, lookup_key: &str) -> Answer<Option<Price>> {
        let filter = json!({ "lookup_keys": [lookup_key], "active": true });
        Ok(self.list("/prices", filter, |price: &Price| &price.id).await?.into_iter().next())
    }

    pub async fn create_checkout(&self, new: NewCheckout<'_>, key: &str) -> Answer<Session> {
        let mut subscription = json!({ "metadata": { "org_id": new.org, "plan": new.plan } });
        if let Some(end) = new.trial_end {
            subscription["trial_end"] = json!(end);
        }
        let mut form = json!({
            "mode": "subscription",
            "customer": new.customer,
            "client_reference_id": new.org,
            "line_items": [{ "price": new.price, "quantity": 1 }],
            "subscription_data": subscription,
            "success_url": new.success_url,
            "cancel_url": new.cancel_url,
            "locale": "fr",
            "billing_address_collection": "required",
            "tax_id_collection": { "enabled": true },
            "customer_update": { "address": "auto", "name": "auto" },
        });
        if new.tax {
            form["automatic_tax"] = json!({ "enabled": true });
        }
        self.post("/checkout/sessions".to_owned(), &form, key).await
    }

    pub async fn expire_checkout(&self, id: &str) -> Answer<Session> {
        self.ask(RequestBuilder::new(StripeMethod::Post, format!("/checkout/sessions/{id}/expire")), None).await
    }

    pub async fn open_portal(&self, customer: &str, return_url: &str, key: &str) -> Answer<Session> {
        let form = json!({ "customer": customer, "return_url": return_url, "locale": "fr" });
        self.post("/billing_portal/sessions".to_owned(), &form, key).await
    }

    /// Another price for what is subscribed to. What is left of the period is credited; a dearer plan is charged at once.
    pub async fn change_price(
        &self,
        (subscription, item): (&str, &str),
        (price, plan): (&str, &str),
        at_once: bool,
        key: &str,
    ) -> Answer<Subscription> {
        let form = json!({
            "items": [{ "id": item, "price": price }],
            "proration_behavior": if at_once { "always_invoice" } else { "create_prorations" },
            "metadata": { "plan": plan },
        });
        self.post(format!("/subscriptions/{subscription}"), &form, key).await
    }

    pub async fn cancel_at_period_end(&self, subscription: &str, cancel: bool, key: &str) -> Answer<Subscription> {
        let form = json!({ "cancel_at_period_end": cancel });
        self.post(format!("/subscriptions/{subscription}"), &form, key).await
    }

    /// Ends a subscription at once.
    pub async fn cancel_now(&self, subscription: &str) -> Answer<Subscription> {
        self.ask(RequestBuilder::new(StripeMethod::Delete, format!("/subscriptions/{subscription}")), None).await
    }

    pub async fn charge(&self, id: &str) -> Answer<Charge> {
        self.get(format!("/charges/{id}")).await
    }

    pub async fn dispute(&self, id: &str) -> Answer<Dispute> {
        self.get(format!("/disputes/{id}")).await
    }
}
