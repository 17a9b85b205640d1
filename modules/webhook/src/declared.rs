//! Settings that this crate reads from the environment.

use keroxio_core::Setting;

pub const ALL: &[Setting] = &[Setting::plain(
    "KEROXIO_WEBHOOKS_PRIVATE",
    "off",
    "`on`: webhooks may go to addresses inside. For development only.",
)];
