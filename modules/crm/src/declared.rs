//! Settings that this crate reads from the environment.

use keroxio_core::Setting;

pub const ALL: &[Setting] = &[
    Setting::plain(
        "KEROXIO_INBOUND_DOMAIN",
        "",
        "Domain whose mail about cars comes in at `POST /inbound/email`, for `lead+<token>@domain`.",
    ),
    Setting::secret("KEROXIO_INBOUND_SECRET", "", "Secret that signs it, 16 characters or more."),
];
