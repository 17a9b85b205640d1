//! Settings that this crate reads from the environment.

use keroxio_core::Setting;

pub const ALL: &[Setting] = &[Setting::secret(
    "KEROXIO_JWT_KEYS",
    "made from `KEROXIO_SECRET_KEY`",
    "Secrets of access tokens, separated by commas, 32 characters or more each; the first signs, all are believed.",
)];
