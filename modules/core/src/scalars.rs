use async_graphql::SimpleObject;

/// An amount of money, all taxes included unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub struct Money {
    /// Whole units of the currency (euros, not cents).
    pub amount: i32,
    /// ISO 4217 code.
    pub currency: String,
    /// The amount as written in French, with narrow no-break spaces: `12 990 €`.
    pub formatted: String,
}

impl Money {
    pub fn euros(amount: i32) -> Self {
        Self { amount, currency: "EUR".to_owned(), formatted: format!("{}\u{a0}€", group_digits(amount.into())) }
    }
}

/// Digits in groups of three, separated as French typography asks (U+202F).
pub fn group_digits(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    if number < 0 { format!("-{out}") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_the_french_way() {
        assert_eq!(Money::euros(12_990).formatted, "12\u{202f}990\u{a0}€");
        assert_eq!(Money::euros(950).formatted, "950\u{a0}€");
        assert_eq!(group_digits(-1_234_567), "-1\u{202f}234\u{202f}567");
    }
}
