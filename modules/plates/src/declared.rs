//! Settings that this crate reads from the environment.

use keroxio_core::Setting;

pub const ALL: &[Setting] = &[Setting::plain(
    "KEROXIO_PLATE_EXAMPLES_DAYS",
    "365",
    "Days for which cut-outs of corrected plates are kept, of those who agreed; 0 keeps none.",
)];
