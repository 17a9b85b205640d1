//! The shapes of Stripe's objects.

use serde_json::{Value, json};

use super::state::{Customer, Invoice, Session, Subscription};

pub fn price(id: &str) -> Value {
    let (lookup_key, amount) = match id {
        "price_pro" => ("keroxio_pro", 4_900),
        "price_enterprise" => ("keroxio_enterprise", 19_900),
        other => panic!("no price {other}"),
    };
    json!({
        "id": id, "object": "price", "active": true, "billing_scheme": "per_unit", "created": 1_700_000_000,
        "currency": "eur", "custom_unit_amount": null, "livemode": false, "lookup_key": lookup_key, "metadata": {},
        "nickname": null, "product": format!("prod_{id}"), "tax_behavior": "exclusive", "tiers_mode": null,
        "recurring": { "interval": "month", "interval_count": 1, "meter": null, "usage_type": "licensed", "trial_period_days": null },
        "transform_quantity": null, "type": "recurring", "unit_amount": amount, "unit_amount_decimal": amount.to_string(),
    })
}

pub fn amount(price_id: &str) -> i64 {
    price(price_id)["unit_amount"].as_i64().unwrap()
}

pub fn list(url: &str, data: Vec<Value>, has_more: bool) -> Value {
    json!({ "object": "list", "url": url, "has_more": has_more, "data": data })
}

pub fn customer(c: &Customer) -> Value {
    if c.is_deleted {
        return json!({ "id": c.id, "object": "customer", "deleted": true });
    }
    json!({
        "id": c.id, "object": "customer", "address": null, "balance": c.balance, "created": c.created, "currency": "eur",
        "default_source": null, "delinquent": false, "description": null, "discount": null, "email": c.email,
        "invoice_prefix": "KRX", "invoice_settings": { "custom_fields": null, "default_payment_method": null, "footer": null, "rendering_options": null },
        "livemode": false, "metadata": c.metadata, "name": c.name, "next_invoice_sequence": 1, "phone": null,
        "preferred_locales": ["fr"], "shipping": null, "tax_exempt": "none", "test_clock": null,
    })
}

pub fn subscription(s: &Subscription) -> Value {
    let item = json!({
        "id": s.item, "object": "subscription_item", "created": s.created, "current_period_start": s.start,
        "current_period_end": s.end, "discounts": [], "metadata": {}, "price": price(&s.price), "quantity": 1,
        "subscription": s.id, "tax_rates": [], "billing_thresholds": null,
    });
    json!({
        "id": s.id, "object": "subscription", "application": null, "application_fee_percent": null,
        "automatic_tax": { "enabled": s.tax, "liability": null, "disabled_reason": null },
        "billing_cycle_anchor": s.start, "billing_cycle_anchor_config": null,
        "cancel_at": s.cancel_at_end.then_some(s.end), "cancel_at_period_end": s.cancel_at_end,
        "canceled_at": s.canceled, "cancellation_details": { "comment": null, "feedback": null, "reason": null },
        "collection_method": "charge_automatically", "created": s.created, "currency": "eur", "customer": s.customer,
        "days_until_due": null, "default_payment_method": "pm_card", "default_source": null, "default_tax_rates": [],
        "description": null, "discounts": [], "ended_at": s.ended,
        "items": list(&format!("/v1/subscription_items?subscription={}", s.id), vec![item], false),
        "latest_invoice": s.latest, "livemode": false, "metadata": s.metadata, "next_pending_invoice_item_invoice": null,
        "on_behalf_of": null, "pause_collection": null, "pending_setup_intent": null, "pending_update": null,
        "schedule": null, "start_date": s.created, "status": s.status, "test_clock": null, "transfer_data": null,
        "trial_end": s.trial_end, "trial_settings": { "end_behavior": { "missing_payment_method": "create_invoice" } },
        "trial_start": s.trial_end.map(|_| s.created),
    })
}

pub fn invoice(i: &Invoice) -> Value {
    let line = |(at, (description, amount)): (usize, &(String, i64))| {
        json!({
            "id": format!("il_{}_{at}", i.id), "object": "line_item", "amount": amount, "currency": "eur",
            "description": description, "discountable": true, "invoice": i.id, "livemode": false, "metadata": {},
            "period": { "start": i.period.0, "end": i.period.1 }, "quantity": 1,
        })
    };
    let url = format!("https://invoice.stripe.example/{}", i.id);
    let is_final = i.number.is_some();
    json!({
        "id": i.id, "object": "invoice", "account_country": "FR", "amount_due": i.due(), "amount_paid": i.paid_amount(),
        "amount_remaining": i.remaining(), "amount_shipping": 0, "attempt_count": i.attempts, "attempted": i.attempts > 0,
        "auto_advance": i.status == "open", "automatic_tax": { "enabled": i.tax, "liability": null, "status": null, "disabled_reason": null, "provider": null },
        "billing_reason": i.reason, "collection_method": "charge_automatically", "created": i.created, "currency": "eur",
        "customer": i.customer, "customer_email": null, "customer_name": null, "default_payment_method": null,
        "description": null, "discounts": [], "due_date": null, "ending_balance": (i.total() + i.balance).min(0),
        "hosted_invoice_url": is_final.then_some(&url), "invoice_pdf": is_final.then(|| format!("{url}/pdf")),
        "lines": list(&format!("/v1/invoices/{}/lines", i.id), i.lines.iter().enumerate().map(line).collect(), false),
        "livemode": false, "metadata": {}, "next_payment_attempt": i.next_attempt, "number": i.number,
        "parent": { "type": "subscription_details", "quote_details": null, "subscription_details": { "metadata": {}, "subscription": i.subscription } },
        "period_start": i.period.0, "period_end": i.period.1, "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0, "receipt_number": null, "starting_balance": i.balance, "status": i.status,
        "status_transitions": { "finalized_at": i.finalized, "marked_uncollectible_at": null, "paid_at": i.paid, "voided_at": i.voided },
        "subtotal": i.net(), "total": i.total(), "test_clock": null, "webhooks_delivered_at": null,
    })
}

pub fn session(s: &Session) -> Value {
    json!({
        "id": s.id, "object": "checkout.session", "amount_total": null, "cancel_url": s.cancel_url, "client_reference_id": s.reference,
        "created": s.created, "currency": "eur", "customer": s.customer, "expires_at": s.created + 86_400, "invoice": null,
        "livemode": false, "locale": "fr", "metadata": {}, "mode": "subscription", "payment_intent": null,
        "payment_status": if s.status == "complete" { "paid" } else { "unpaid" }, "status": s.status,
        "subscription": s.subscription, "success_url": s.success_url, "ui_mode": "hosted",
        "url": (s.status == "open").then(|| format!("https://checkout.stripe.example/c/{}", s.id)),
    })
}

pub fn charge(i: &Invoice) -> Value {
    json!({
        "id": charge_of(i), "object": "charge", "amount": i.total(), "amount_captured": i.total(), "amount_refunded": i.refunded,
        "created": i.paid, "currency": "eur", "customer": i.customer, "livemode": false, "metadata": {}, "paid": true,
        "payment_intent": format!("pi_{}", i.id), "refunded": i.refunded == i.total(), "status": "succeeded",
    })
}

pub fn charge_of(i: &Invoice) -> String {
    format!("ch_{}", i.id)
}

/// Names its payment, and no customer.
pub fn dispute(i: &Invoice) -> Value {
    json!({
        "id": format!("dp_{}", i.id), "object": "dispute", "amount": i.total(), "charge": charge_of(i), "currency": "eur",
        "created": i.paid, "livemode": false, "metadata": {}, "payment_intent": format!("pi_{}", i.id),
        "reason": "fraudulent", "status": "needs_response",
    })
}

pub fn error(kind: &str, code: Option<&str>, message: &str, param: Option<&str>) -> Value {
    let mut error =
        json!({ "type": kind, "message": message, "request_log_url": "https://dashboard.stripe.example/logs" });
    if let Some(code) = code {
        error["code"] = json!(code);
    }
    if let Some(param) = param {
        error["param"] = json!(param);
    }
    json!({ "error": error })
}
