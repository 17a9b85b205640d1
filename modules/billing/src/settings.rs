use keroxio_core::{Env, Result, Secret};
use keroxio_subscription::{Catalogue, PlanCode};

use crate::error;
use crate::stripe::Stripe;

#[derive(Clone)]
pub struct Settings {
    stripe: Option<Stripe>,
    /// Each may have signed an event.
    pub webhook_secrets: Vec<Secret>,
    price_pro: Option<String>,
    price_enterprise: Option<String>,
    /// Whether Stripe works VAT out.
    pub tax: bool,
    /// Address of the front end, without a slash at its end.
    app_url: String,
}

impl Settings {
    pub fn read(env: &Env) -> Self {
        let base = env.optional("STRIPE_API_BASE");
        let stripe = env.optional("STRIPE_SECRET_KEY").and_then(|key| match Stripe::new(&key, base.as_deref()) {
            Ok(stripe) => Some(stripe),
            Err(e) => {
                env.problem(format!("STRIPE_SECRET_KEY, STRIPE_API_BASE: {e}"));
                None
            }
        });
        let secrets = env.optional("STRIPE_WEBHOOK_SECRET").unwrap_or_default();
        let secrets = secrets.split(',').map(str::trim).filter(|secret| !secret.is_empty());
        let webhook_secrets: Vec<Secret> = secrets.map(Secret::new).collect();
        if stripe.is_some() && webhook_secrets.is_empty() {
            env.problem("STRIPE_WEBHOOK_SECRET is missing: it proves that an event comes from Stripe".to_owned());
        }
        let own = || env.optional("KEROXIO_PUBLIC_URL").unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
        Self {
            stripe,
            webhook_secrets,
            price_pro: env.optional("STRIPE_PRICE_PRO"),
            price_enterprise: env.optional("STRIPE_PRICE_ENTERPRISE"),
            tax: env.optional("STRIPE_TAX").as_deref() == Some("on"),
            app_url: env.optional("KEROXIO_APP_URL").unwrap_or_else(own).trim_end_matches('/').to_owned(),
        }
    }

    pub fn is_configured(&self) -> bool {
        self.stripe.is_some()
    }

    /// # Errors
    /// `BILLING_NOT_CONFIGURED`.
    pub fn stripe(&self) -> Result<&Stripe> {
        self.stripe.as_ref().ok_or_else(error::not_configured)
    }

    /// The price that this installation names for a plan.
    pub fn price(&self, plan: PlanCode) -> Option<&str> {
        match plan {
            PlanCode::Free => None,
            PlanCode::Pro => self.price_pro.as_deref(),
            PlanCode::Enterprise => self.price_enterprise.as_deref(),
        }
    }

    /// Which plan a price of Stripe's is for.
    pub fn plan_of(&self, catalogue: &Catalogue, id: &str, lookup_key: Option<&str>) -> Option<PlanCode> {
        let named = [PlanCode::Pro, PlanCode::Enterprise].into_iter().find(|plan| self.price(*plan) == Some(id));
        let by_key = || {
            let key = lookup_key?;
            catalogue.plans.iter().find(|plan| plan.lookup_key.as_deref() == Some(key)).map(|plan| plan.code)
        };
        named.or_else(by_key)
    }

    /// Where Stripe leads back to. The client has no say in it.
    pub fn back(&self, from: Back) -> String {
        let query = match from {
            Back::Paid => "?checkout=done",
            Back::Cancelled => "?checkout=cancelled",
            Back::Portal => "",
        };
        format!("{}/billing{query}", self.app_url)
    }
}

/// From where somebody comes back to us.
#[derive(Debug, Clone, Copy)]
pub enum Back {
    Paid,
    Cancelled,
    Portal,
}
