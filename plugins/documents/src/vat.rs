//! VAT on cars and on the work of a garage. All amounts are whole euro cents, all rates basis points (2000 is 20 %).
//!
//! Sources: CGI art. 278 and following (rates), 296 (overseas), 297 A and 297 E (margin scheme of used goods).
//! VAT moved into the CIBS on 2026-09-01 (ordonnance 2025-1247) without a change of substance.

use std::sync::LazyLock;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::Confidence;

/// Where the sale is taxed. Guyane and Mayotte levy no VAT (CGI art. 294), so no rate is known there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Territory {
    #[default]
    Metropole,
    Corsica,
    Guadeloupe,
    Martinique,
    Reunion,
    Guyane,
    Mayotte,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateKind {
    /// Cars, parts and repairs.
    Normal,
    Intermediate,
    Reduced,
    SuperReduced,
}

/// A rate of VAT with the days on which it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    pub territories: Vec<Territory>,
    pub kind: RateKind,
    /// 2000 is 20 %.
    pub basis_points: u32,
    /// First day.
    pub from: NaiveDate,
    /// Last day; none while it is in force.
    #[serde(default)]
    pub until: Option<NaiveDate>,
    pub source: String,
    pub confidence: Confidence,
}

impl Rate {
    fn holds(&self, territory: Territory, on: NaiveDate) -> bool {
        self.territories.contains(&territory) && self.from <= on && self.until.is_none_or(|until| on <= until)
    }
}

// The file is part of the program and a test reads it: should it ever be unreadable, no rate is lawful and every
// taxed line is refused, which is the safe side.
static RATES: LazyLock<Vec<Rate>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../data/vat_rates.json")).unwrap_or_default());

/// Every rate this crate knows, past ones included.
pub fn rates() -> &'static [Rate] {
    &RATES
}

/// The rate of a kind on a day; none where the territory levies no VAT or the day is before our data.
pub fn rate(territory: Territory, kind: RateKind, on: NaiveDate) -> Option<&'static Rate> {
    rates().iter().find(|rate| rate.kind == kind && rate.holds(territory, on))
}

/// Whether a rate (basis points) is one of the rates of that territory on that day.
pub fn is_lawful(territory: Territory, basis_points: u32, on: NaiveDate) -> bool {
    rates().iter().any(|rate| rate.basis_points == basis_points && rate.holds(territory, on))
}

/// VAT in cents on a total net of tax in cents, half a cent rounded up.
///
/// Called once per rate on the sum of its lines, never line by line: the sum of rounded lines drifts.
pub fn vat_on_net(net_cents: i64, basis_points: u32) -> i64 {
    divide_half_up(i128::from(net_cents) * i128::from(basis_points), 10_000)
}

/// VAT in cents contained in a total in cents, tax included, half a cent rounded up.
pub fn vat_in_gross(gross_cents: i64, basis_points: u32) -> i64 {
    divide_half_up(i128::from(gross_cents) * i128::from(basis_points), 10_000 + i128::from(basis_points))
}

/// VAT in cents on the margin of one used car: (sale including tax - purchase) x rate / (100 + rate), half a cent
/// rounded up, 0 when the car is sold at a loss (CGI art. 297 A, car by car; the loss is not set off against another).
///
/// For the accounts only: CGI art. 297 E forbids to show it on the invoice.
pub fn margin_vat(sale_cents: i64, purchase_cents: i64, basis_points: u32) -> i64 {
    let margin = sale_cents.saturating_sub(purchase_cents);
    if margin > 0 { vat_in_gross(margin, basis_points) } else { 0 }
}

/// Quotient rounded to the nearest, halves away from zero; `denominator` is positive.
pub(crate) fn divide_half_up(numerator: i128, denominator: i128) -> i64 {
    let rounded = (numerator.abs() * 2 + denominator) / (denominator * 2) * numerator.signum();
    i64::try_from(rounded).unwrap_or(if rounded > 0 { i64::MAX } else { i64::MIN })
}

#[cfg(test)]
// Cents are written like euros: 12_000_00 is 12 000.00.
#[allow(clippy::inconsistent_digit_grouping)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_file_of_rates_is_read_and_every_rate_has_a_source() {
        assert_eq!(rates().len(), 7);
        assert!(rates().iter().all(|rate| !rate.source.is_empty() && rate.basis_points > 0));
    }

    #[test]
    fn the_normal_rate_changed_on_the_first_of_january_2014() {
        let normal = |on| rate(Territory::Metropole, RateKind::Normal, day(on)).map(|rate| rate.basis_points);
        assert_eq!(normal("2013-12-31"), Some(1960));
        assert_eq!(normal("2014-01-01"), Some(2000));
        assert_eq!(normal("1999-01-01"), None);
    }

    #[test]
    fn overseas_rates_differ_and_guyane_has_none() {
        let on = day("2026-05-01");
        assert!(is_lawful(Territory::Reunion, 850, on) && !is_lawful(Territory::Reunion, 2000, on));
        assert!(!is_lawful(Territory::Metropole, 850, on));
        assert!(rate(Territory::Guyane, RateKind::Normal, on).is_none());
    }

    #[test]
    fn no_day_has_two_rates_of_a_kind() {
        let territories = [Territory::Metropole, Territory::Corsica, Territory::Guadeloupe, Territory::Reunion];
        for on in ["2013-12-31", "2014-01-01", "2026-11-26", "2030-01-01"].map(day) {
            for territory in territories {
                for kind in [RateKind::Normal, RateKind::Intermediate, RateKind::Reduced, RateKind::SuperReduced] {
                    let count = rates().iter().filter(|r| r.kind == kind && r.holds(territory, on)).count();
                    assert!(count <= 1, "{territory:?} {kind:?} {on}");
                }
            }
        }
    }

    #[test]
    fn halves_round_up() {
        assert_eq!(vat_on_net(250, 1000), 25);
        assert_eq!(vat_on_net(25, 1000), 3, "2.5 cents");
        assert_eq!(vat_on_net(-25, 1000), -3);
        assert_eq!(vat_on_net(100_00, 550), 5_50);
        assert_eq!(vat_in_gross(12_000_00, 2000), 2_000_00);
        assert_eq!(vat_in_gross(3, 2000), 1, "0.5 cents");
    }

    #[test]
    fn margin_is_taxed_at_twenty_over_a_hundred_and_twenty() {
        assert_eq!(margin_vat(12_000_00, 9_000_00, 2000), 500_00);
        assert_eq!(margin_vat(9_990_00, 8_500_00, 2000), 248_33, "149000 x 20 / 120 = 24833.33");
        assert_eq!(margin_vat(3, 0, 2000), 1);
        assert_eq!(margin_vat(9_000_00, 9_000_00, 2000), 0);
        assert_eq!(margin_vat(8_000_00, 9_000_00, 2000), 0, "a loss gives no credit");
        assert_eq!(margin_vat(12_000_00, 9_000_00, 850), 235_02, "overseas: 300000 x 8.5 / 108.5");
    }

    #[test]
    fn enormous_amounts_do_not_overflow() {
        assert_eq!(vat_on_net(i64::MAX, 10_000), i64::MAX);
        assert_eq!(margin_vat(i64::MAX, i64::MIN, 2000), 1_537_228_672_809_129_301);
    }
}
