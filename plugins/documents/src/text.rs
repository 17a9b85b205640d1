//! How amounts and dates are written: for machines (XML) and for French readers (PDF).

use chrono::{Datelike as _, NaiveDate};

use crate::invoice::Quantity;

/// Narrow no-break space between thousands, no-break space before a unit.
const THOUSANDS: char = '\u{202f}';
const NBSP: char = '\u{a0}';

/// `-1234.05`
pub(crate) fn decimal(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
}

/// `20`, `5.5`, `19.6`
pub(crate) fn percent(basis_points: u32) -> String {
    let text = format!("{}.{:02}", basis_points / 100, basis_points % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `1 234,05 €`
pub(crate) fn euros(cents: i64) -> String {
    let sign = if cents < 0 { "\u{2212}" } else { "" };
    let whole = grouped(cents.unsigned_abs() / 100);
    format!("{sign}{whole},{:02}{NBSP}€", cents.unsigned_abs() % 100)
}

/// `1 234 567`
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(THOUSANDS);
        }
        text.push(digit);
    }
    text
}

/// `5,5 %`
pub(crate) fn french_percent(basis_points: u32) -> String {
    format!("{}{NBSP}%", percent(basis_points).replace('.', ","))
}

/// `1,5`
pub(crate) fn french_quantity(quantity: Quantity) -> String {
    quantity.to_string().replace('.', ",")
}

/// `26/11/2026`
pub(crate) fn french_date(day: NaiveDate) -> String {
    format!("{:02}/{:02}/{}", day.day(), day.month(), day.year())
}

/// Groups of three for reading: `732 829 320`; other texts are left as they are.
pub(crate) fn spaced(digits: &str) -> String {
    let sizes: &[usize] = match digits.len() {
        9 => &[3, 3, 3],
        14 => &[3, 3, 3, 5],
        _ => return digits.to_owned(),
    };
    let mut rest = digits;
    let mut groups = Vec::new();
    for size in sizes {
        let Some((group, tail)) = rest.split_at_checked(*size) else { return digits.to_owned() };
        groups.push(group);
        rest = tail;
    }
    groups.join(&NBSP.to_string())
}

#[cfg(test)]
// Cents are written like euros: 12_000_00 is 12 000.00.
#[allow(clippy::inconsistent_digit_grouping)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        assert_eq!(decimal(123_456_05), "123456.05");
        assert_eq!(decimal(-5), "-0.05");
        assert_eq!(decimal(i64::MIN), "-92233720368547758.08");
        assert_eq!(euros(1_234_567_05), "1\u{202f}234\u{202f}567,05\u{a0}€");
        assert_eq!(euros(-5), "\u{2212}0,05\u{a0}€");
    }

    #[test]
    fn rates_and_quantities() {
        assert_eq!([2000, 550, 1960, 210, 0].map(percent), ["20", "5.5", "19.6", "2.1", "0"]);
        assert_eq!(french_percent(550), "5,5\u{a0}%");
        assert_eq!(french_quantity(Quantity { thousandths: 1750 }), "1,75");
        assert_eq!(Quantity { thousandths: -1005 }.to_string(), "-1.005");
        assert_eq!(Quantity::units(3).to_string(), "3");
    }

    #[test]
    fn identifiers() {
        assert_eq!(spaced("73282932000074"), "732\u{a0}829\u{a0}320\u{a0}00074");
        assert_eq!(spaced("12"), "12");
        assert_eq!(spaced("éééé9"), "éééé9");
    }
}
