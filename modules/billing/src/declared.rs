//! Settings that this crate reads from the environment.

use keroxio_core::Setting;

pub const ALL: &[Setting] = &[
    Setting::secret(
        "STRIPE_SECRET_KEY",
        "",
        "Secret key of Stripe; without one nobody can pay and everything else works.",
    ),
    Setting::secret(
        "STRIPE_WEBHOOK_SECRET",
        "",
        "Secrets that sign events to `/webhooks/stripe`, separated by commas while one is changed.",
    ),
    Setting::plain("STRIPE_PRICE_PRO", "by the lookup key `keroxio_pro`", "Id of the price of that plan."),
    Setting::plain(
        "STRIPE_PRICE_ENTERPRISE",
        "by the lookup key `keroxio_enterprise`",
        "Id of the price of that plan.",
    ),
    Setting::plain("STRIPE_TAX", "off", "`on`: Stripe works VAT out (Stripe Tax)."),
    Setting::plain("STRIPE_API_BASE", "https://api.stripe.com", "Another address of its interface, for tests."),
];
