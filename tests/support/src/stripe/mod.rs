//! A Stripe of our own: it keeps what the real one keeps, moves it on with the clock, and signs what it tells.

mod form;
mod http;
mod objects;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hmac::{Hmac, KeyInit as _, Mac as _};
use keroxio_core::Clock;
use serde_json::Value;
use sha2::Sha256;

use state::State;

pub use state::Truth;

/// The secrets of a test's installation.
pub const STRIPE_KEY: &str = "sk_test_keroxio";
pub const STRIPE_WEBHOOK_SECRET: &str = "whsec_keroxio";

#[derive(Clone)]
pub struct FakeStripe {
    state: Arc<Mutex<State>>,
    clock: Arc<Mutex<Clock>>,
    pub base: String,
}

/// A signature as the header carries it.
pub fn stripe_signature(secret: &str, time: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{time}.{body}").as_bytes());
    format!("t={time},v1={}", hex::encode(mac.finalize().into_bytes()))
}

impl FakeStripe {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let fake = Self { state: Arc::default(), clock: Arc::default(), base };
        let router = http::router(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    /// From now on its time is that of the application.
    pub fn follow(&self, clock: &Clock) {
        *self.clock.lock().unwrap() = clock.clone();
    }

    fn now(&self) -> i64 {
        self.clock.lock().unwrap().now().timestamp()
    }

    /// The state as it is at this moment: whatever time has brought has happened.
    fn state(&self) -> MutexGuard<'_, State> {
        let now = self.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.pass(now);
        state
    }

    /// Somebody pays on the page of a checkout, or their card is declined there.
    pub fn check_out(&self, url: &str) {
        let now = self.now();
        let id = url.rsplit('/').next().unwrap();
        self.state().complete(id, now);
    }

    /// Whether payments of a customer succeed from now on.
    pub fn set_card(&self, customer: &str, is_good: bool) {
        let now = self.now();
        self.state().set_card(customer, is_good, now);
    }

    /// The payment of an invoice succeeds, whatever has become of the subscription.
    pub fn pay(&self, invoice: &str) {
        let now = self.now();
        self.state().pay(invoice, now);
    }

    /// Staff of Stripe's dashboard ends a subscription at once.
    pub fn end(&self, subscription: &str) {
        let now = self.now();
        self.state().end(subscription, now);
    }

    pub fn void(&self, invoice: &str) {
        let now = self.now();
        self.state().void(invoice, now);
    }

    pub fn refund(&self, invoice: &str, amount: i64) {
        let now = self.now();
        self.state().refund(invoice, amount, now);
    }

    pub fn dispute(&self, invoice: &str) {
        let now = self.now();
        self.state().dispute(invoice, now);
    }

    pub fn delete_customer(&self, customer: &str) {
        let now = self.now();
        self.state().delete_customer(customer, now);
    }

    /// Answers this status to so many requests.
    pub fn fail(&self, status: u16, times: usize) {
        self.state().failures = vec![status; times];
    }

    /// Largest page of a list.
    pub fn set_page(&self, rows: usize) {
        self.state().page = rows;
    }

    /// Events that were not delivered yet, in their order.
    pub fn take_events(&self) -> Vec<Value> {
        std::mem::take(&mut self.state().pending)
    }

    /// What was asked: method, path, idempotency key, parameters.
    pub fn requests(&self) -> Vec<(String, String, Option<String>, Value)> {
        self.state().requests.clone()
    }

    /// The only customer there is.
    pub fn customer(&self) -> String {
        let state = self.state();
        state.customers.keys().last().unwrap().clone()
    }

    pub fn truth(&self, customer: &str) -> Truth {
        self.state().truth(customer)
    }

    /// Delivers an event as Stripe does; answers the status.
    pub async fn deliver(&self, base: &str, event: &Value) -> u16 {
        let body = event.to_string();
        let signature = stripe_signature(STRIPE_WEBHOOK_SECRET, self.now(), &body);
        post_event(base, &signature, body).await
    }
}

/// Posts a body with a signature; answers the status.
pub async fn post_event(base: &str, signature: &str, body: String) -> u16 {
    let request = reqwest::Client::new().post(format!("{base}/webhooks/stripe"));
    let request = request.header("stripe-signature", signature).header("content-type", "application/json");
    request.body(body).send().await.unwrap().status().as_u16()
}
