//! What Stripe keeps, and what time makes of it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Months};
use serde_json::{Value, json};

use super::objects;

const DAY: i64 = 86_400;
/// Days after a failed attempt when the next one is made; after the last the subscription ends.
const RETRIES: [i64; 3] = [3, 5, 7];

pub struct Customer {
    pub id: String,
    pub email: Option<String>,
    pub name: Option<String>,
    pub metadata: Value,
    pub created: i64,
    pub is_deleted: bool,
    pub has_good_card: bool,
    /// What we owe them, as a negative amount: the next invoices are paid of it first.
    pub balance: i64,
    /// What the next invoice takes along.
    pub pending: Vec<(String, i64)>,
}

pub struct Session {
    pub id: String,
    pub customer: String,
    pub reference: String,
    pub price: String,
    pub trial_end: Option<i64>,
    pub metadata: Value,
    pub tax: bool,
    pub success_url: String,
    pub cancel_url: String,
    pub status: &'static str,
    pub subscription: Option<String>,
    pub created: i64,
}

pub struct Subscription {
    pub id: String,
    pub item: String,
    pub customer: String,
    pub price: String,
    pub status: &'static str,
    pub created: i64,
    pub start: i64,
    pub end: i64,
    pub trial_end: Option<i64>,
    pub has_warned: bool,
    pub cancel_at_end: bool,
    pub canceled: Option<i64>,
    pub ended: Option<i64>,
    pub latest: Option<String>,
    pub metadata: Value,
    pub tax: bool,
}

pub struct Invoice {
    pub id: String,
    pub customer: String,
    pub subscription: String,
    pub reason: &'static str,
    pub lines: Vec<(String, i64)>,
    pub period: (i64, i64),
    pub tax: bool,
    /// The customer's balance before it.
    pub balance: i64,
    pub number: Option<String>,
    pub status: &'static str,
    pub attempts: usize,
    pub next_attempt: Option<i64>,
    pub created: i64,
    pub finalized: Option<i64>,
    pub paid: Option<i64>,
    pub voided: Option<i64>,
    pub refunded: i64,
}

impl Invoice {
    pub fn net(&self) -> i64 {
        self.lines.iter().map(|(_, amount)| amount).sum()
    }

    pub fn total(&self) -> i64 {
        if self.tax { self.net() * 12 / 10 } else { self.net() }
    }

    /// What is left to be paid once the balance is used.
    pub fn due(&self) -> i64 {
        (self.total() + self.balance).max(0)
    }

    pub fn paid_amount(&self) -> i64 {
        if self.paid.is_some() { self.due() } else { 0 }
    }

    pub fn remaining(&self) -> i64 {
        if self.status == "open" { self.due() } else { 0 }
    }
}

/// What our side must know of a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Status, price, end of the period and of the subscription; of the newest that is not over, else of the newest.
    pub subscription: Option<(String, String, i64, Option<i64>)>,
    /// Number, status, total and payment of each invoice, the newest first.
    pub invoices: Vec<(String, String, i64, i64)>,
}

#[derive(Default)]
pub struct State {
    pub customers: BTreeMap<String, Customer>,
    pub sessions: BTreeMap<String, Session>,
    pub subscriptions: BTreeMap<String, Subscription>,
    pub invoices: BTreeMap<String, Invoice>,
    pub pending: Vec<Value>,
    pub requests: Vec<(String, String, Option<String>, Value)>,
    pub answers: HashMap<String, (String, u16, Value)>,
    pub failures: Vec<u16>,
    pub page: usize,
    count: usize,
}

fn month_after(time: i64) -> i64 {
    let day = DateTime::from_timestamp(time, 0).unwrap();
    day.checked_add_months(Months::new(1)).unwrap().timestamp()
}

impl State {
    /// In the order in which they are made.
    pub fn id(&mut self, prefix: &str) -> String {
        self.count += 1;
        format!("{prefix}_{:06}", self.count)
    }

    pub fn tell(&mut self, kind: &str, object: Value, at: i64) {
        let id = self.id("evt");
        self.pending.push(json!({
            "id": id, "object": "event", "api_version": "2026-09-30.endive", "created": at, "data": { "object": object },
            "livemode": false, "pending_webhooks": 1, "request": { "id": null, "idempotency_key": null }, "type": kind,
        }));
    }

    fn tell_subscription(&mut self, kind: &str, id: &str, at: i64) {
        let object = objects::subscription(&self.subscriptions[id]);
        self.tell(kind, object, at);
    }

    fn tell_invoice(&mut self, kind: &str, id: &str, at: i64) {
        let object = objects::invoice(&self.invoices[id]);
        self.tell(kind, object, at);
    }

    /// Lets everything happen that is due until now, in its order.
    pub fn pass(&mut self, now: i64) {
        while let Some((at, id)) = self.next_due().filter(|(at, _)| *at <= now) {
            self.happen(&id, at);
        }
    }

    fn next_due(&self) -> Option<(i64, String)> {
        let due = |s: &Subscription| match s.status {
            "trialing" if !s.has_warned => s.trial_end.map(|end| (end - 3 * DAY).max(s.created)),
            "trialing" | "active" => Some(s.end),
            "past_due" => self.open_of(&s.id).and_then(|i| i.next_attempt).into_iter().chain([s.end]).min(),
            _ => None,
        };
        self.subscriptions.values().filter_map(|s| Some((due(s)?, s.id.clone()))).min()
    }

    fn open_of(&self, subscription: &str) -> Option<&Invoice> {
        self.invoices.values().find(|i| i.subscription == subscription && i.status == "open")
    }

    fn happen(&mut self, id: &str, at: i64) {
        let s = &self.subscriptions[id];
        if s.status == "trialing" && !s.has_warned {
            self.subscriptions.get_mut(id).unwrap().has_warned = true;
            return self.tell_subscription("customer.subscription.trial_will_end", id, at);
        }
        let retry = self.open_of(id).filter(|i| i.next_attempt == Some(at)).map(|i| i.id.clone());
        if let Some(invoice) = retry {
            return self.attempt(&invoice, at);
        }
        if s.cancel_at_end {
            return self.end(id, at);
        }
        self.renew(id, "subscription_cycle", at);
    }

    /// The next period begins.
    fn renew(&mut self, id: &str, reason: &'static str, at: i64) {
        let s = self.subscriptions.get_mut(id).unwrap();
        (s.start, s.end) = (at, month_after(at));
        if s.status == "trialing" {
            s.status = "active";
        }
        let (customer, line) = (s.customer.clone(), (format!("1 × {}", s.price), objects::amount(&s.price)));
        let mut lines = vec![line];
        lines.append(&mut self.customers.get_mut(&customer).unwrap().pending);
        self.bill(id, reason, lines, at);
        self.tell_subscription("customer.subscription.updated", id, at);
    }

    fn bill(&mut self, subscription: &str, reason: &'static str, lines: Vec<(String, i64)>, at: i64) {
        let id = self.id("in");
        let number = format!("KRX-{:04}", self.invoices.len() + 1);
        let s = self.subscriptions.get_mut(subscription).unwrap();
        s.latest = Some(id.clone());
        let invoice = Invoice {
            id: id.clone(),
            customer: s.customer.clone(),
            subscription: s.id.clone(),
            reason,
            lines,
            period: (s.start, s.end),
            tax: s.tax,
            balance: self.customers[&s.customer].balance,
            number: Some(number),
            status: "open",
            attempts: 0,
            next_attempt: None,
            created: at,
            finalized: Some(at),
            paid: None,
            voided: None,
            refunded: 0,
        };
        let left = (invoice.total() + invoice.balance).min(0);
        self.customers.get_mut(&invoice.customer).unwrap().balance = left;
        self.invoices.insert(id.clone(), invoice);
        self.tell_invoice("invoice.created", &id, at);
        self.tell_invoice("invoice.finalized", &id, at);
        self.attempt(&id, at);
    }

    /// Tries to charge an invoice.
    fn attempt(&mut self, id: &str, at: i64) {
        let invoice = self.invoices.get_mut(id).unwrap();
        let (customer, subscription) = (invoice.customer.clone(), invoice.subscription.clone());
        invoice.attempts += 1;
        if self.customers[&customer].has_good_card || invoice.due() == 0 {
            return self.pay(id, at);
        }
        let wait = RETRIES.get(invoice.attempts - 1);
        invoice.next_attempt = wait.map(|days| at + days * DAY);
        self.tell_invoice("invoice.payment_failed", id, at);
        if wait.is_none() {
            return self.end(&subscription, at);
        }
        let s = self.subscriptions.get_mut(&subscription).unwrap();
        if s.status != "past_due" && s.status != "incomplete" {
            s.status = "past_due";
            self.tell_subscription("customer.subscription.updated", &subscription, at);
        }
    }

    pub fn pay(&mut self, id: &str, at: i64) {
        let invoice = self.invoices.get_mut(id).unwrap();
        (invoice.status, invoice.paid, invoice.next_attempt) = ("paid", Some(at), None);
        let subscription = invoice.subscription.clone();
        self.tell_invoice("invoice.paid", id, at);
        let s = self.subscriptions.get_mut(&subscription).unwrap();
        if s.status == "past_due" || s.status == "incomplete" {
            s.status = "active";
            self.tell_subscription("customer.subscription.updated", &subscription, at);
        }
    }

    pub fn end(&mut self, id: &str, at: i64) {
        let s = self.subscriptions.get_mut(id).unwrap();
        if s.status == "canceled" {
            return;
        }
        (s.status, s.ended, s.canceled) = ("canceled", Some(at), s.canceled.or(Some(at)));
        for invoice in self.invoices.values_mut().filter(|i| i.subscription == id) {
            invoice.next_attempt = None;
        }
        self.tell_subscription("customer.subscription.deleted", id, at);
    }

    pub fn void(&mut self, id: &str, at: i64) {
        let invoice = self.invoices.get_mut(id).unwrap();
        (invoice.status, invoice.voided, invoice.next_attempt) = ("void", Some(at), None);
        self.tell_invoice("invoice.voided", id, at);
    }

    pub fn refund(&mut self, id: &str, amount: i64, at: i64) {
        let invoice = self.invoices.get_mut(id).unwrap();
        invoice.refunded += amount;
        let charge = objects::charge(invoice);
        self.tell("charge.refunded", charge, at);
    }

    pub fn dispute(&mut self, id: &str, at: i64) {
        let dispute = objects::dispute(&self.invoices[id]);
        self.tell("charge.dispute.created", dispute, at);
    }

    pub fn delete_customer(&mut self, id: &str, at: i64) {
        let before = objects::customer(&self.customers[id]);
        let ids: Vec<String> = self.subscriptions.values().filter(|s| s.customer == id).map(|s| s.id.clone()).collect();
        ids.iter().for_each(|subscription| self.end(subscription, at));
        self.customers.get_mut(id).unwrap().is_deleted = true;
        self.tell("customer.deleted", before, at);
    }

    pub fn set_card(&mut self, customer: &str, is_good: bool, at: i64) {
        let known = self.customers.get_mut(customer).unwrap();
        known.has_good_card = is_good;
        let object = objects::customer(known);
        self.tell("customer.updated", object, at);
    }

    /// Somebody fills a checkout in.
    pub fn complete(&mut self, id: &str, at: i64) {
        let (subscription, item) = (self.id("sub"), self.id("si"));
        let session = self.sessions.get_mut(id).unwrap();
        assert_eq!(session.status, "open", "{id}");
        (session.status, session.subscription) = ("complete", Some(subscription.clone()));
        let trial_end = session.trial_end;
        let new = Subscription {
            id: subscription.clone(),
            item,
            customer: session.customer.clone(),
            price: session.price.clone(),
            status: if trial_end.is_some() { "trialing" } else { "incomplete" },
            created: at,
            start: at,
            end: trial_end.unwrap_or_else(|| month_after(at)),
            trial_end,
            has_warned: false,
            cancel_at_end: false,
            canceled: None,
            ended: None,
            latest: None,
            metadata: session.metadata.clone(),
            tax: session.tax,
        };
        let (line, is_trial) = ((format!("1 × {}", new.price), objects::amount(&new.price)), trial_end.is_some());
        self.subscriptions.insert(subscription.clone(), new);
        self.tell_subscription("customer.subscription.created", &subscription, at);
        if !is_trial {
            self.bill(&subscription, "subscription_create", vec![line], at);
        }
        let object = objects::session(&self.sessions[id]);
        self.tell("checkout.session.completed", object, at);
    }

    /// Another price, with what is left of the period credited and charged.
    pub fn change_price(&mut self, id: &str, price: &str, behavior: &str, at: i64) {
        let s = self.subscriptions.get_mut(id).unwrap();
        let before = std::mem::replace(&mut s.price, price.to_owned());
        let (left, whole) = (s.end - at, s.end - s.start);
        let is_free = s.status == "trialing";
        let customer = s.customer.clone();
        let share = |price: &str| objects::amount(price) * left / whole;
        let lines = vec![
            (format!("Unused time on {before}"), -share(&before)),
            (format!("Remaining time on {price}"), share(price)),
        ];
        match behavior {
            _ if is_free => {}
            "always_invoice" => self.bill(id, "subscription_update", lines, at),
            "create_prorations" => self.customers.get_mut(&customer).unwrap().pending.extend(lines),
            other => panic!("no behaviour {other}"),
        }
        self.tell_subscription("customer.subscription.updated", id, at);
    }

    pub fn truth(&self, customer: &str) -> Truth {
        let mine: Vec<&Subscription> = self.subscriptions.values().filter(|s| s.customer == customer).collect();
        let is_live = |s: &&&Subscription| ["trialing", "active", "past_due", "unpaid"].contains(&s.status);
        let newest = mine.iter().rfind(is_live).or(mine.last());
        let invoices = self.invoices.values().rev().filter(|i| i.customer == customer);
        Truth {
            subscription: newest.map(|s| {
                let cancel_at = s.cancel_at_end.then_some(s.end);
                (s.status.to_owned(), s.price.clone(), s.end, cancel_at)
            }),
            invoices: invoices
                .map(|i| (i.number.clone().unwrap(), i.status.to_owned(), i.total(), i.paid_amount()))
                .collect(),
        }
    }
}
