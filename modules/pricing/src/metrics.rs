//! What operators watch of prices.

use crate::market::Place;

const DRIFT: &str = "keroxio_price_drift_ratio";
const DRIFT_ADS: &str = "keroxio_price_drift_ads";
const QUOTES: &str = "keroxio_price_quotes_total";
const SALES: &str = "keroxio_price_sales_total";

pub fn describe() {
    metrics::describe_gauge!(
        DRIFT,
        "Median of asking price over estimate minus one, in the latest month with ads of the operator's, by fuel."
    );
    metrics::describe_gauge!(DRIFT_ADS, "Ads behind that median, by fuel.");
    metrics::describe_counter!(QUOTES, "Prices asked for, by outcome (estimated, refused).");
    metrics::describe_counter!(SALES, "Sales recorded, by where the price lay in the interval (inside, below, above).");
    for outcome in ["estimated", "refused"] {
        metrics::counter!(QUOTES, "outcome" => outcome).absolute(0);
    }
    for place in ["inside", "below", "above"] {
        metrics::counter!(SALES, "place" => place).absolute(0);
    }
}

pub fn drift(fuel: &str, median_residual: f64, ads: i32) {
    metrics::gauge!(DRIFT, "fuel" => fuel.to_owned()).set(median_residual.exp_m1());
    metrics::gauge!(DRIFT_ADS, "fuel" => fuel.to_owned()).set(f64::from(ads));
}

pub fn quoted(estimated: bool) {
    metrics::counter!(QUOTES, "outcome" => if estimated { "estimated" } else { "refused" }).increment(1);
}

pub fn sold(place: Place) {
    metrics::counter!(SALES, "place" => place.name()).increment(1);
}
