use keroxio_core::{Error, ErrorCode};

pub const BILLING_NOT_CONFIGURED: ErrorCode = ErrorCode("BILLING_NOT_CONFIGURED");
pub const ALREADY_SUBSCRIBED: ErrorCode = ErrorCode("ALREADY_SUBSCRIBED");
pub const NOT_SUBSCRIBED: ErrorCode = ErrorCode("NOT_SUBSCRIBED");
pub const PLAN_NOT_SOLD: ErrorCode = ErrorCode("PLAN_NOT_SOLD");
pub const PAYMENT_REFUSED: ErrorCode = ErrorCode("PAYMENT_REFUSED");

pub fn not_configured() -> Error {
    Error::new(
        BILLING_NOT_CONFIGURED,
        "Le paiement n'est pas configuré sur cette installation : adressez-vous à votre administrateur.",
        "Payment is not configured on this installation: ask whoever runs it.",
    )
}

pub fn already_subscribed() -> Error {
    Error::new(
        ALREADY_SUBSCRIBED,
        "Votre organisation a déjà un abonnement : changez d'offre avec changePlan.",
        "Your organization has a subscription already: change its plan with changePlan.",
    )
}

pub fn not_subscribed() -> Error {
    Error::new(
        NOT_SUBSCRIBED,
        "Votre organisation n'a pas d'abonnement en cours : prenez-en un avec createCheckout.",
        "Your organization has no subscription: take one with createCheckout.",
    )
}

pub fn not_sold() -> Error {
    Error::new(
        PLAN_NOT_SOLD,
        "Cette offre ne se paie pas : choisissez PRO ou ENTERPRISE, ou annulez l'abonnement avec cancelSubscription.",
        "This plan is not sold: choose PRO or ENTERPRISE, or cancel with cancelSubscription.",
    )
}

/// Stripe would not do it; its code says why.
pub fn refused(code: Option<String>) -> Error {
    Error::new(
        PAYMENT_REFUSED,
        "Le prestataire de paiement a refusé l'opération : vérifiez le moyen de paiement (openBillingPortal).",
        "The payment provider refused: look at the means of payment (openBillingPortal).",
    )
    .with_detail("reason", code)
}
