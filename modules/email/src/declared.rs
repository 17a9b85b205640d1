//! Settings that this crate reads from the environment.

use keroxio_core::Setting;

pub const ALL: &[Setting] = &[
    Setting::secret(
        "RESEND_API_KEY",
        "",
        "Key of Resend, which carries letters; without one they stay in the mailbox that staff read.",
    ),
    Setting::plain("RESEND_BASE_URL", "https://api.resend.com", "Another address of its interface, for tests."),
    Setting::plain(
        "KEROXIO_MAIL_FROM",
        "Keroxio <no-reply@example.org>",
        "Sender of letters; its domain has to be one that Resend knows.",
    ),
    Setting::plain(
        "KEROXIO_APP_URL",
        "`KEROXIO_PUBLIC_URL`",
        "Address of the front end: where links in letters and Stripe lead back to.",
    ),
];
