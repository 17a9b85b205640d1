//! What a price is for. No data tells how prices differ by purpose, so the operator says it, and we say so.

use async_graphql::Enum;
use keroxio_core::Env;
use serde::{Deserialize, Serialize};

/// What a price is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PricePurpose {
    /// Sold by its owner to a private buyer.
    PrivateSale,
    /// Sold by a garage, prepared and guaranteed.
    DealerRetail,
    /// Taken back by a garage.
    TradeIn,
    /// Sold within days.
    QuickSale,
}

const PURPOSES: [(PricePurpose, &str); 4] = [
    (PricePurpose::PrivateSale, "KEROXIO_PRICE_PRIVATE_SALE"),
    (PricePurpose::DealerRetail, "KEROXIO_PRICE_DEALER_RETAIL"),
    (PricePurpose::TradeIn, "KEROXIO_PRICE_TRADE_IN"),
    (PricePurpose::QuickSale, "KEROXIO_PRICE_QUICK_SALE"),
];
/// A factor outside is a slip of the pen.
const POSSIBLE: std::ops::RangeInclusive<f64> = 0.3..=2.0;

/// What the operator multiplies estimates with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coefficients([f64; 4]);

impl Coefficients {
    pub fn read(env: &Env) -> Self {
        Self(PURPOSES.map(|(_, name)| {
            let factor = env.parsed(name, 1.0_f64);
            if !POSSIBLE.contains(&factor) {
                env.problem(format!("{name} is {factor}: a factor between 0.3 and 2 is meant"));
            }
            factor
        }))
    }

    pub fn of(&self, purpose: Option<PricePurpose>) -> f64 {
        let place = PURPOSES.iter().position(|(known, _)| Some(*known) == purpose);
        place.and_then(|place| self.0.get(place)).copied().unwrap_or(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_one_unless_the_operator_says_otherwise() {
        let set = |name: &str, value: &str| Env::from_vars([(name.to_owned(), value.to_owned())]);
        let given = Coefficients::read(&set("KEROXIO_PRICE_TRADE_IN", "0.85"));
        assert_eq!(given.of(Some(PricePurpose::TradeIn)), 0.85);
        assert_eq!(given.of(Some(PricePurpose::PrivateSale)), 1.0);
        assert_eq!(given.of(None), 1.0);
        let env = set("KEROXIO_PRICE_QUICK_SALE", "85");
        Coefficients::read(&env);
        assert!(env.check().is_err(), "a percentage is not a factor");
    }
}
