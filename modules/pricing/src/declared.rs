//! Settings that this crate reads from the environment.

use keroxio_core::Setting;

pub const ALL: &[Setting] = &[
    Setting::plain(
        "KEROXIO_PRICE_PRIVATE_SALE",
        "1.0",
        "Factor between 0.3 and 2 on prices for a sale between private people.",
    ),
    Setting::plain(
        "KEROXIO_PRICE_DEALER_RETAIL",
        "1.0",
        "Factor between 0.3 and 2 on prices for the forecourt of a dealer.",
    ),
    Setting::plain(
        "KEROXIO_PRICE_TRADE_IN",
        "1.0",
        "Factor between 0.3 and 2 on prices for taking a car in part exchange.",
    ),
    Setting::plain("KEROXIO_PRICE_QUICK_SALE", "1.0", "Factor between 0.3 and 2 on prices for a sale within days."),
];
