//! Settings that this crate reads from the environment.

use keroxio_core::Setting;

pub const ALL: &[Setting] =
    &[Setting::plain("KEROXIO_CERTIFICATES", "on", "`off`: registration certificates are not read from photos.")];
