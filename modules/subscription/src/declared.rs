//! Settings that this crate reads from the environment.

use keroxio_core::Setting;

pub const ALL: &[Setting] = &[Setting::plain(
    "KEROXIO_DEFAULT_PLAN",
    "a trial, then `FREE`",
    "Plan of everybody who pays for nothing, without end: `FREE`, `PRO`, `ENTERPRISE`.",
)];
