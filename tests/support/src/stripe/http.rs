//! The API of Stripe, as far as we use it, as strict as theirs.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::form::{parse, text, unknown};
use super::objects;
use super::state::{Customer, Session, State};
use super::{FakeStripe, STRIPE_KEY};

type Answer = Result<Value, (u16, Value)>;

pub fn router(fake: FakeStripe) -> Router {
    Router::new().fallback(serve).with_state(fake)
}

async fn serve(
    Shared(fake): Shared<FakeStripe>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let body = String::from_utf8(body.to_vec()).unwrap();
    let is_post = method == Method::POST;
    let params = parse(if is_post { &body } else { uri.query().unwrap_or_default() });
    let key = header("idempotency-key");
    let now = fake.now();
    let mut state = fake.state();
    state.requests.push((method.to_string(), uri.path().to_owned(), key.clone(), params.clone()));
    let (status, answer) = if header("authorization").as_deref() != Some(&format!("Bearer {STRIPE_KEY}")) {
        (401, objects::error("invalid_request_error", None, "Invalid API Key provided", None))
    } else if is_post
        && !body.is_empty()
        && header("content-type").as_deref() != Some("application/x-www-form-urlencoded")
    {
        (400, objects::error("invalid_request_error", None, "Send a form", None))
    } else if let Some(status) = state.failures.pop() {
        (status, objects::error("api_error", None, "Something is broken", None))
    } else {
        let call = format!("{method} {} {params}", uri.path());
        match key.as_ref().and_then(|key| state.answers.get(key)) {
            Some((known, status, answer)) if *known == call => (*status, answer.clone()),
            Some(_) => {
                (400, objects::error("idempotency_error", None, "Keys can only be used with the same parameters", None))
            }
            None => {
                let (status, answer) = match answer(&mut state, &method, uri.path(), &params, now) {
                    Ok(answer) => (200, answer),
                    Err((status, error)) => (status, error),
                };
                if let Some(key) = key {
                    state.answers.insert(key, (call, status, answer.clone()));
                }
                (status, answer)
            }
        }
    };
    let headers = [("content-type", "application/json"), ("request-id", "req_test")];
    (StatusCode::from_u16(status).unwrap(), headers, answer.to_string()).into_response()
}

fn missing(what: &str, id: &str) -> (u16, Value) {
    let message = format!("No such {what}: '{id}'");
    (404, objects::error("invalid_request_error", Some("resource_missing"), &message, Some("id")))
}

fn bad(code: &str, message: &str, param: &str) -> (u16, Value) {
    (400, objects::error("invalid_request_error", Some(code), message, Some(param)))
}

fn known(params: &Value, names: &[&str]) -> Result<(), (u16, Value)> {
    match unknown(params, names) {
        Some(name) => Err(bad("parameter_unknown", &format!("Received unknown parameter: {name}"), name)),
        None => Ok(()),
    }
}

fn required<'a>(params: &'a Value, pointer: &str) -> Result<&'a str, (u16, Value)> {
    text(params, pointer)
        .ok_or_else(|| bad("parameter_missing", &format!("Missing required param: {pointer}"), pointer))
}

fn answer(state: &mut State, method: &Method, path: &str, params: &Value, now: i64) -> Answer {
    let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
    assert!(path.starts_with("/v1/"), "{path}");
    match (method.as_str(), parts.as_slice()) {
        ("POST", ["customers"]) => create_customer(state, params, now),
        ("GET", ["customers", id]) => {
            state.customers.get(*id).map(objects::customer).ok_or_else(|| missing("customer", id))
        }
        ("GET", ["prices"]) => {
            known(params, &["lookup_keys", "active", "limit"])?;
            let key = required(params, "/lookup_keys/0")?;
            let all = ["price_pro", "price_enterprise"].map(objects::price);
            let found = all.into_iter().filter(|price| price["lookup_key"] == key).collect();
            Ok(objects::list("/v1/prices", found, false))
        }
        ("POST", ["checkout", "sessions"]) => create_session(state, params, now),
        ("POST", ["checkout", "sessions", id, "expire"]) => {
            let session = state.sessions.get_mut(*id).ok_or_else(|| missing("checkout.session", id))?;
            if session.status != "open" {
                return Err(bad("resource_missing", "Only open sessions can be expired", "id"));
            }
            session.status = "expired";
            Ok(objects::session(session))
        }
        ("POST", ["billing_portal", "sessions"]) => {
            known(params, &["customer", "return_url", "locale"])?;
            let customer = required(params, "/customer")?;
            living(state, customer)?;
            let return_url = required(params, "/return_url")?.to_owned();
            let (customer, id) = (customer.to_owned(), state.id("bps"));
            Ok(json!({
                "id": id, "object": "billing_portal.session", "configuration": "bpc_1", "created": now, "customer": customer,
                "flow": null, "livemode": false, "locale": "fr", "return_url": return_url,
                "url": format!("https://billing.stripe.example/p/session/{id}"),
            }))
        }
        ("GET", ["subscriptions"]) => {
            known(params, &["customer", "status", "limit", "starting_after"])?;
            let customer = required(params, "/customer")?;
            let all = text(params, "/status") == Some("all");
            let mine = state.subscriptions.values().rev();
            let mine = mine.filter(|s| s.customer == customer && (all || s.status != "canceled"));
            page(state, "/v1/subscriptions", mine.map(objects::subscription).collect(), params)
        }
        ("GET", ["subscriptions", id]) => {
            state.subscriptions.get(*id).map(objects::subscription).ok_or_else(|| missing("subscription", id))
        }
        ("POST", ["subscriptions", id]) => update_subscription(state, id, params, now),
        ("DELETE", ["subscriptions", id]) => {
            let found = state.subscriptions.get(*id).filter(|s| s.status != "canceled");
            found.ok_or_else(|| missing("subscription", id))?;
            state.end(id, now);
            Ok(objects::subscription(&state.subscriptions[*id]))
        }
        ("GET", ["invoices"]) => {
            known(params, &["customer", "limit", "starting_after"])?;
            let customer = required(params, "/customer")?;
            let mine = state.invoices.values().rev().filter(|i| i.customer == customer);
            page(state, "/v1/invoices", mine.map(objects::invoice).collect(), params)
        }
        ("GET", ["charges", id]) => {
            let of = state.invoices.values().find(|i| objects::charge_of(i) == *id);
            of.map(objects::charge).ok_or_else(|| missing("charge", id))
        }
        ("GET", ["disputes", id]) => {
            let of = state.invoices.values().find(|i| format!("dp_{}", i.id) == *id);
            of.map(objects::dispute).ok_or_else(|| missing("dispute", id))
        }
        _ => Err((404, objects::error("invalid_request_error", None, "Unrecognized request URL", None))),
    }
}

fn living(state: &State, id: &str) -> Result<(), (u16, Value)> {
    let found = state.customers.get(id).filter(|customer| !customer.is_deleted);
    found.map(drop).ok_or_else(|| bad("resource_missing", &format!("No such customer: '{id}'"), "customer"))
}

/// A page of a list, the newest first.
fn page(state: &State, url: &str, rows: Vec<Value>, params: &Value) -> Answer {
    let limit: usize = text(params, "/limit").unwrap_or("10").parse().unwrap();
    if !(1..=100).contains(&limit) {
        return Err(bad("parameter_invalid_integer", "limit is from 1 to 100", "limit"));
    }
    let limit = if state.page == 0 { limit } else { limit.min(state.page) };
    let from = match text(params, "/starting_after") {
        Some(last) => rows.iter().position(|row| row["id"] == last).ok_or_else(|| missing("object", last))? + 1,
        None => 0,
    };
    let has_more = rows.len() > from + limit;
    Ok(objects::list(url, rows.into_iter().skip(from).take(limit).collect(), has_more))
}

fn create_customer(state: &mut State, params: &Value, now: i64) -> Answer {
    known(params, &["name", "email", "metadata", "preferred_locales"])?;
    let id = state.id("cus");
    let customer = Customer {
        id: id.clone(),
        email: text(params, "/email").map(str::to_owned),
        name: text(params, "/name").map(str::to_owned),
        metadata: params["metadata"].clone(),
        created: now,
        is_deleted: false,
        has_good_card: true,
        balance: 0,
        pending: Vec::new(),
    };
    let object = objects::customer(&customer);
    state.customers.insert(id, customer);
    state.tell("customer.created", object.clone(), now);
    Ok(object)
}

fn create_session(state: &mut State, params: &Value, now: i64) -> Answer {
    let names = [
        "mode",
        "customer",
        "client_reference_id",
        "line_items",
        "subscription_data",
        "success_url",
        "cancel_url",
        "locale",
        "billing_address_collection",
        "tax_id_collection",
        "customer_update",
        "automatic_tax",
    ];
    known(params, &names)?;
    known(&params["subscription_data"], &["metadata", "trial_end"])?;
    let customer = required(params, "/customer")?;
    living(state, customer)?;
    let price = required(params, "/line_items/0/price")?;
    if !["price_pro", "price_enterprise"].contains(&price) {
        return Err(bad("resource_missing", &format!("No such price: '{price}'"), "line_items[0][price]"));
    }
    let trial_end: Option<i64> = text(params, "/subscription_data/trial_end").map(|end| end.parse().unwrap());
    if trial_end.is_some_and(|end| end < now + 2 * 86_400) {
        let message = "The `trial_end` date has to be at least 2 days in the future.";
        return Err(bad("parameter_invalid_integer", message, "subscription_data[trial_end]"));
    }
    let session = Session {
        customer: customer.to_owned(),
        reference: required(params, "/client_reference_id")?.to_owned(),
        price: price.to_owned(),
        trial_end,
        metadata: params["subscription_data"]["metadata"].clone(),
        tax: text(params, "/automatic_tax/enabled") == Some("true"),
        success_url: required(params, "/success_url")?.to_owned(),
        cancel_url: required(params, "/cancel_url")?.to_owned(),
        status: "open",
        subscription: None,
        created: now,
        id: state.id("cs_test"),
    };
    let object = objects::session(&session);
    state.sessions.insert(session.id.clone(), session);
    Ok(object)
}

fn update_subscription(state: &mut State, id: &str, params: &Value, now: i64) -> Answer {
    known(params, &["items", "proration_behavior", "metadata", "cancel_at_period_end"])?;
    let subscription = state.subscriptions.get_mut(id).ok_or_else(|| missing("subscription", id))?;
    if subscription.status == "canceled" {
        let message = "A canceled subscription can only update its cancellation_details and metadata.";
        return Err((400, objects::error("invalid_request_error", None, message, None)));
    }
    if let Some(metadata) = params.get("metadata").and_then(Value::as_object) {
        for (name, value) in metadata {
            subscription.metadata[name] = value.clone();
        }
    }
    if let Some(cancel) = text(params, "/cancel_at_period_end") {
        subscription.cancel_at_end = cancel == "true";
        subscription.canceled = subscription.cancel_at_end.then_some(now);
        let object = objects::subscription(subscription);
        state.tell("customer.subscription.updated", object, now);
    }
    if let Some(price) = text(params, "/items/0/price") {
        if text(params, "/items/0/id") != Some(state.subscriptions[id].item.as_str()) {
            return Err(bad("resource_missing", "No such subscription item", "items[0][id]"));
        }
        if !["price_pro", "price_enterprise"].contains(&price) {
            return Err(bad("resource_missing", "No such price", "items[0][price]"));
        }
        state.change_price(id, price, text(params, "/proration_behavior").unwrap_or("create_prorations"), now);
    }
    Ok(objects::subscription(&state.subscriptions[id]))
}
