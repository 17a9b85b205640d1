//! Settings that this crate reads from the environment.

use keroxio_core::Setting;

pub const ALL: &[Setting] = &[
    Setting::secret(
        "RESEND_API_KEY",
        "",
        "Key of Resend, which carries letters; without it and `SMTP_URL` they stay in the mailbox that staff read.",
    ),
    Setting::plain("RESEND_BASE_URL", "https://api.resend.com", "Another address of its interface, for tests."),
    Setting::secret(
        "RESEND_WEBHOOK_SECRET",
        "",
        "Secret of the webhook that Resend calls (`POST /webhooks/resend`); several, parted by commas, while one is replaced.",
    ),
    Setting::secret(
        "SMTP_URL",
        "",
        "A mail server that carries letters instead of Resend: `smtps://user:password@host:465`, or `smtp://…:587?tls=required`.",
    ),
    Setting::plain(
        "KEROXIO_MAIL_FROM",
        "Keroxio <no-reply@example.org>",
        "Sender of letters; its domain has to be one that Resend, or the mail server, knows.",
    ),
    Setting::plain(
        "KEROXIO_APP_URL",
        "`KEROXIO_PUBLIC_URL`",
        "Address of the front end: where links in letters and Stripe lead back to.",
    ),
    Setting::plain(
        "KEROXIO_EMAIL_DAYS",
        "365",
        "Days for which it is known to whom letters were written and what became of them.",
    ),
];
