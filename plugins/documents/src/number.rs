//! Numbers of documents: a series, a year and a place in an unbroken sequence (`F-2026-000123`).
//!
//! CGI ann. II art. 242 nonies A, I, 7°: a unique number, based on a chronological and continuous sequence; several
//! series are allowed where they are justified. Who gives the numbers must do so inside the transaction that issues
//! the document: this module only writes and reads them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::invoice::Kind;

/// Which sequence a number belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Series {
    /// `F`, facture.
    Invoice,
    /// `A`, avoir.
    CreditNote,
    /// `D`, devis.
    Quote,
}

impl Series {
    pub fn letter(self) -> char {
        match self {
            Self::Invoice => 'F',
            Self::CreditNote => 'A',
            Self::Quote => 'D',
        }
    }

    pub fn kind(self) -> Kind {
        match self {
            Self::Invoice => Kind::Invoice,
            Self::CreditNote => Kind::CreditNote,
            Self::Quote => Kind::Quote,
        }
    }

    fn of_letter(letter: &str) -> Option<Self> {
        [Self::Invoice, Self::CreditNote, Self::Quote]
            .into_iter()
            .find(|series| letter.len() == 1 && letter.starts_with(series.letter()))
    }
}

/// Why a text is no number of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    #[error("a number has three parts: F-2026-000123")]
    Parts,
    #[error("a number begins with F (invoice), A (credit note) or D (quote)")]
    Series,
    #[error("the year has four digits, from 2000 to 2099")]
    Year,
    #[error("the sequence starts at 000001 and is written with at least six digits and no needless zero")]
    Sequence,
}

/// A document number. Ordered by series, then year, then sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentNumber {
    series: Series,
    year: u16,
    sequence: u32,
}

impl DocumentNumber {
    /// # Errors
    /// [`NumberError::Year`] outside 2000 to 2099 (what approved platforms accept, BR-FR-03), [`NumberError::Sequence`]
    /// for 0.
    pub fn new(series: Series, year: u16, sequence: u32) -> Result<Self, NumberError> {
        if !(2000..=2099).contains(&year) {
            return Err(NumberError::Year);
        }
        if sequence == 0 { Err(NumberError::Sequence) } else { Ok(Self { series, year, sequence }) }
    }

    pub fn series(self) -> Series {
        self.series
    }

    pub fn year(self) -> u16 {
        self.year
    }

    /// Place in the sequence of that series and year, from 1.
    pub fn sequence(self) -> u32 {
        self.sequence
    }

    /// The number that must follow in the same year; none at the end of `u32`.
    pub fn next(self) -> Option<Self> {
        self.sequence.checked_add(1).map(|sequence| Self { sequence, ..self })
    }

    /// Whether no number is missing between `previous` and this one.
    pub fn follows(self, previous: Self) -> bool {
        let same_year = self.year == previous.year && previous.next() == Some(self);
        let new_year = self.year > previous.year && self.sequence == 1;
        self.series == previous.series && (same_year || new_year)
    }
}

impl fmt::Display for DocumentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{:06}", self.series.letter(), self.year, self.sequence)
    }
}

impl FromStr for DocumentNumber {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let mut parts = text.split('-');
        let (Some(letter), Some(year), Some(sequence), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NumberError::Parts);
        };
        let series = Series::of_letter(letter).ok_or(NumberError::Series)?;
        let year = digits(year, 4..=4).ok_or(NumberError::Year)?;
        let value = digits(sequence, 6..=10).ok_or(NumberError::Sequence)?;
        let number = Self::new(series, u16::try_from(year).unwrap_or(0), value)?;
        // One number has one spelling, or two documents could carry what looks like different numbers.
        if number.to_string() == text { Ok(number) } else { Err(NumberError::Sequence) }
    }
}

fn digits(text: &str, length: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let plain = length.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

impl Serialize for DocumentNumber {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DocumentNumber {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn writes_the_three_series() {
        let text = |series| DocumentNumber::new(series, 2026, 123).unwrap().to_string();
        assert_eq!(text(Series::Invoice), "F-2026-000123");
        assert_eq!(text(Series::CreditNote), "A-2026-000123");
        assert_eq!(text(Series::Quote), "D-2026-000123");
    }

    #[test]
    fn refuses_what_is_no_number_and_says_why() {
        let why = |text: &str| text.parse::<DocumentNumber>().unwrap_err();
        assert_eq!(why(""), NumberError::Parts);
        assert_eq!(why("F-2026"), NumberError::Parts);
        assert_eq!(why("F-2026-000001-1"), NumberError::Parts);
        assert_eq!(why("X-2026-000001"), NumberError::Series);
        assert_eq!(why("f-2026-000001"), NumberError::Series);
        assert_eq!(why("F-26-000001"), NumberError::Year);
        assert_eq!(why("F-1999-000001"), NumberError::Year);
        for sequence in ["1", "000000", "0000001", "00000a", "+00001", "99999999999", "4294967296"] {
            assert_eq!(why(&format!("F-2026-{sequence}")), NumberError::Sequence, "{sequence}");
        }
    }

    #[test]
    fn a_gap_is_seen() {
        let n = |text: &str| text.parse::<DocumentNumber>().unwrap();
        assert!(n("F-2026-000002").follows(n("F-2026-000001")));
        assert!(n("F-2027-000001").follows(n("F-2026-000099")));
        assert!(!n("F-2026-000003").follows(n("F-2026-000001")));
        assert!(!n("F-2026-000001").follows(n("F-2026-000001")));
        assert!(!n("F-2027-000002").follows(n("F-2026-000099")));
        assert!(!n("A-2026-000002").follows(n("F-2026-000001")));
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(series in 0..3_usize, year in 2000_u16..=2099, sequence in 1_u32..) {
            let series = [Series::Invoice, Series::CreditNote, Series::Quote][series];
            let number = DocumentNumber::new(series, year, sequence).unwrap();
            prop_assert_eq!(number.to_string().parse(), Ok(number));
            let json = serde_json::to_string(&number).unwrap();
            prop_assert_eq!(serde_json::from_str::<DocumentNumber>(&json).unwrap(), number);
        }

        #[test]
        fn never_panics(text in "\\PC*") {
            if let Ok(number) = text.parse::<DocumentNumber>() {
                prop_assert_eq!(number.to_string(), text);
            }
        }
    }
}
